import { type KeyPair, keyPairOf } from '../key-pair.ts';
import type { BundleFile } from './bundle.ts';

/** What Istio reads of a key file: its first block, of one of three kinds (`security/pkg/pki/util/crypto.go`). */
export type SigningKey = { readonly keys: KeyPair } | { readonly problem: string };

const labels = ['RSA PRIVATE KEY', 'EC PRIVATE KEY', 'PRIVATE KEY'];

/** The key of a file; undefined when nothing in it says that it is a key. */
export function signingKeyOf({ blocks }: Pick<BundleFile, 'blocks'>): SigningKey | undefined {
  const [first] = blocks;
  if (first === undefined) return undefined;
  if (first.hasHeaders || first.label === 'ENCRYPTED PRIVATE KEY') {
    return { problem: 'is encrypted with a passphrase, which istiod is never given' };
  }
  if (!labels.includes(first.label)) {
    return {
      problem: `does not begin with a private key: istiod reads the first block alone, and takes ${labels.join(', ')}`,
    };
  }
  try {
    return { keys: keyPairOf(first.text) };
  } catch {
    return { problem: 'cannot be read: its content is not what its BEGIN line says' };
  }
}

/** Whether a PEM label is that of a private key of any kind. */
export function isPrivateKeyLabel(label: string): boolean {
  return label.endsWith('PRIVATE KEY');
}
