import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { IntermediateMaterial, RootMaterial } from './authority-state.ts';
import { splitCertificates } from './certificate-facts.ts';
import { type Layout, layoutOf } from './lint/layout.ts';

/** An authority that somebody else has made, taken apart; or why it cannot be used, without any of its content. */
export type GivenMaterial =
  | {
      readonly root: RootMaterial;
      /** Absent when only the root was given, which signs intermediates that we make. */
      readonly intermediate?: IntermediateMaterial;
      readonly problem?: undefined;
    }
  | { readonly problem: string };

/**
 * Takes apart what istiod could sign with, given as a Secret's entries. A certificate that has signed itself is a root;
 * with `rootSigns` it stays what istiod signs with, as it is for an istiod that has made its own.
 */
export function readGivenMaterial(
  files: Readonly<Record<string, string>>,
  { rootSigns }: { readonly rootSigns: boolean },
): GivenMaterial {
  const layout = layoutOf(files);
  if (layout === undefined) return { problem: 'it has neither tls.crt nor ca-cert.pem' };
  try {
    return takeApart(files, layout, rootSigns);
  } catch {
    // The parsers' own words could repeat parts of a key.
    return { problem: `${layout.signer}, ${layout.key} or ${layout.roots} cannot be read as PEM` };
  }
}

function takeApart(
  files: Readonly<Record<string, string>>,
  layout: Layout,
  rootSigns: boolean,
): GivenMaterial {
  const [certPem] = splitCertificates(files[layout.signer] ?? '');
  const keyPem = files[layout.key];
  const [rootPem, ...otherRoots] = splitCertificates(files[layout.roots] ?? '');
  // What an istiod has made by itself leaves the chain empty, and the certificate is the root.
  if (certPem === undefined) return { problem: `${layout.signer} holds no certificate` };
  if (keyPem === undefined) return { problem: `${layout.key} is missing` };
  if (otherRoots.some((other) => other !== rootPem)) {
    return {
      problem: `${layout.roots} holds several roots: finish the rotation that is under way, so that one is left`,
    };
  }
  const certificate = new X509Certificate(certPem);
  if (!certificate.checkPrivateKey(createPrivateKey(keyPem))) {
    return { problem: `${layout.key} is not the key of ${layout.signer}` };
  }
  if (certificate.verify(certificate.publicKey)) {
    const root = { certPem, keyPem };
    return rootSigns ? { root, intermediate: { certPem, keyPem, chainPem: certPem } } : { root };
  }
  if (rootPem === undefined) return { problem: `${layout.roots} holds no certificate` };
  const above = [layout.chain, layout.roots].flatMap((name) => splitCertificates(files[name] ?? ''));
  const chain = chainTo(rootPem, [certPem, ...above]);
  if (chain === undefined)
    return { problem: `${layout.signer} does not lead to the root in ${layout.roots}` };
  return { root: { certPem: rootPem }, intermediate: { certPem, keyPem, chainPem: chain.join('') } };
}

/** The certificates from the first one up to below the root; undefined when they do not lead there. */
function chainTo(rootPem: string, candidates: readonly string[]): string[] | undefined {
  const root = new X509Certificate(rootPem);
  const chain: string[] = [];
  let pem: string | undefined = candidates[0];
  while (pem !== undefined && chain.length < candidates.length) {
    chain.push(pem);
    const certificate = new X509Certificate(pem);
    if (certificate.verify(root.publicKey)) return chain;
    pem = candidates.find((candidate) => {
      return !chain.includes(candidate) && certificate.verify(new X509Certificate(candidate).publicKey);
    });
  }
  return undefined;
}
