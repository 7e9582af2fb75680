import { createHash, createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { kindInfo } from '../../src/api/kinds.ts';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import {
  authoritySecret,
  authoritySecretName,
  readAuthority,
} from '../../src/controllers/trust/authority-secret.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { secretData, secretTexts } from '../../src/kube/secret-data.ts';
import type { AuthorityState } from '../../src/pki/authority-state.ts';
import { operatorNamespace } from '../cluster/operator.ts';
import { openssl } from './openssl.ts';
import { never } from './test-client.ts';

const secretKind = { apiVersion: 'v1', kind: 'Secret' } as const;
const anyPrivateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]+-----END [A-Z ]*PRIVATE KEY-----/g;

/** The Secrets that the trust of one control-plane namespace consists of, as an admin sees and writes them. */
export class TrustSecrets {
  readonly namespace: string;
  readonly #client: KubeClient;

  constructor(client: KubeClient, namespace: string) {
    this.#client = client;
    this.namespace = namespace;
  }

  get authorityId() {
    return { ...secretKind, namespace: operatorNamespace, name: authoritySecretName(this.namespace) };
  }

  get cacertsId() {
    return { ...secretKind, namespace: this.namespace, name: 'cacerts' };
  }

  findAuthority(): Promise<KubernetesObject | undefined> {
    return this.#client.find(this.authorityId, never);
  }

  cacerts(): Promise<KubernetesObject> {
    return this.#client.get(this.cacertsId, never);
  }

  /** What the authority's Secret holds. Throws when the operator could not use it. */
  async authority(): Promise<AuthorityState> {
    const { state, problem } = readAuthority(await this.#client.get(this.authorityId, never));
    if (state === undefined) throw new Error(`the authority of ${this.namespace} cannot be used: ${problem}`);
    return state;
  }

  /** The files that istiod reads. */
  async files(): Promise<Record<string, string>> {
    return secretTexts(await this.cacerts());
  }

  /** Writes an authority where the operator looks for it, in place of what it has kept there. */
  async plant(state: AuthorityState): Promise<void> {
    const secret = authoritySecret(operatorNamespace, this.namespace, state);
    await this.#client.apply(secret, { fieldManager: 'test', force: true }, never);
  }

  /** Creates a Secret of these texts, or replaces all that it holds. */
  async put(name: string, texts: Readonly<Record<string, string>>, type = 'Opaque'): Promise<void> {
    const metadata = { name, namespace: this.namespace };
    const secret = { ...secretKind, metadata, type, data: secretData(texts) };
    await this.#client.apply(secret, { fieldManager: 'test', force: true }, never);
  }

  /** Merges into one of the Secrets; null removes an entry. */
  async edit(
    id: TrustSecrets['cacertsId'],
    texts: Readonly<Record<string, string>>,
  ): Promise<KubernetesObject> {
    const merge = { data: secretData(texts) };
    return this.#client.patch(id, { type: 'merge', merge }, { fieldManager: 'kubectl-edit' }, never);
  }

  delete(id: TrustSecrets['cacertsId']): Promise<void> {
    return this.#client.delete(id, {}, never);
  }

  /** Every private key in any Secret of a namespace, in PEM. */
  async keysIn(namespace: string): Promise<string[]> {
    const { items } = await this.#client.list(kindInfo('v1', 'Secret'), { namespace }, never);
    return items.flatMap((secret) => Object.values(secretTexts(secret)).flatMap(privateKeysOf));
  }
}

/** What may be compared and printed of texts with keys in them: their SHA-256, by the same names. */
export function digestsOf(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, createHash('sha256').update(text).digest('hex')]),
  );
}

/** The same of all that an authority's Secret holds. */
export function authorityDigests(state: AuthorityState): Record<string, string> {
  return digestsOf(secretTexts(authoritySecret('', '', state)));
}

/** The private keys of a PEM text. */
export function privateKeysOf(text: string): string[] {
  return text.match(anyPrivateKey) ?? [];
}

/** True when the key is that of the certificate, in whatever form. */
export function isKeyOf(keyPem: string, certPem: string): boolean {
  const { publicKey } = new X509Certificate(certPem);
  const key = createPublicKey(createPrivateKey(keyPem));
  // Compared with one of another type, OpenSSL would keep an error that the next call is blamed for.
  return key.asymmetricKeyType === publicKey.asymmetricKeyType && key.equals(publicKey);
}

/** Has openssl verify what istiod signs with up to the roots that it gives to proxies, and that the key fits. */
export async function verifyFiles(files: Readonly<Record<string, string>>): Promise<void> {
  const trusted = ['-CAfile', 'root-cert.pem', '-untrusted', 'cert-chain.pem'];
  await openssl(files, 'verify', '-x509_strict', ...trusted, 'ca-cert.pem');
  if (!isKeyOf(files['ca-key.pem'] ?? '', files['ca-cert.pem'] ?? '')) {
    throw new Error('ca-key.pem is not the key of ca-cert.pem');
  }
}
