import { X509Certificate } from 'node:crypto';
import { isRecord } from '../base/stable-json.ts';
import { factsOf, splitCertificates } from './certificate-facts.ts';
import type { ObservedProxy } from './observed-trust.ts';

/** The certificate of an intermediate, PEM. */
export interface Signer {
  readonly certPem: string;
}

/** Names under which istio-agent serves a workload's certificate and its roots (Istio `pkg/security/security.go`). */
const leafName = 'default';
const rootsName = 'ROOTCA';

/**
 * What a proxy trusts and whose certificate it carries, by the `dynamic_active_secrets` of its Envoy's `/config_dump`.
 * The signer is proven by the signature on the leaf. A proxy that has not asked for a secret has no use for it yet and
 * gets the newest when it does: `undefined` when it has neither.
 */
export function readEnvoySecrets(
  dump: string,
  signers: readonly Signer[],
): Pick<ObservedProxy, 'roots' | 'signer'> | undefined {
  const secrets = secretsByName(dump);
  const roots = inlineText(secrets.get(rootsName), ['validation_context', 'trusted_ca']);
  const chain = inlineText(secrets.get(leafName), ['tls_certificate', 'certificate_chain']);
  if (roots === undefined && chain === undefined) return undefined;
  const [leaf] = splitCertificates(chain ?? '');
  const signer = leaf === undefined ? undefined : signerOf(leaf, signers);
  return {
    roots: new Set(splitCertificates(roots ?? '').map((pem) => factsOf(pem).fingerprint)),
    ...(signer === undefined ? {} : { signer }),
  };
}

function signerOf(leafPem: string, signers: readonly Signer[]): string | undefined {
  const leaf = new X509Certificate(leafPem);
  const signer = signers.find(({ certPem }) => {
    const issuer = new X509Certificate(certPem);
    return leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey);
  });
  return signer === undefined ? undefined : factsOf(signer.certPem).fingerprint;
}

function secretsByName(dump: string): Map<string, unknown> {
  const document = JSON.parse(dump) as unknown;
  const configs = isRecord(document) && Array.isArray(document.configs) ? document.configs : [];
  return new Map(configs.filter(isRecord).map((config) => [String(config.name), config.secret] as const));
}

/** `inline_bytes` (base64) or `inline_string` at the end of a path. */
function inlineText(secret: unknown, path: readonly string[]): string | undefined {
  const found = path.reduce<unknown>((value, key) => (isRecord(value) ? value[key] : undefined), secret);
  if (!isRecord(found)) return undefined;
  if (typeof found.inline_bytes === 'string') return Buffer.from(found.inline_bytes, 'base64').toString();
  return typeof found.inline_string === 'string' ? found.inline_string : undefined;
}
