import { randomBytes } from 'node:crypto';
import { type AuthorityRequest, issueIntermediate, issueRoot } from '../../src/pki/authority-certificates.ts';
import type { IntermediateMaterial, RootMaterial } from '../../src/pki/authority-state.ts';
import { buildCertificate, type CertificateIssuer, serialOf } from '../../src/pki/certificate-builder.ts';
import { generateKeyPair, type KeyPair } from '../../src/pki/key-pair.ts';

/** The name that leaves of these tests are for. */
export const leafHost = 'reviews.shop.svc';

const day = 24 * 3_600_000;

/** A root with keys of its own, and an intermediate of it, valid now. */
export interface Authority {
  readonly root: RootMaterial;
  readonly rootKeys: KeyPair;
  readonly intermediate: IntermediateMaterial;
  readonly intermediateKeys: KeyPair;
}

/** A root of ten years and an intermediate of one, or as they are asked for; keys are of P-256 unless they are given. */
export async function anAuthority(
  asked: {
    readonly root?: Partial<AuthorityRequest>;
    readonly intermediate?: Partial<AuthorityRequest>;
  } = {},
): Promise<Authority> {
  const rootKeys = asked.root?.keys ?? (await generateKeyPair('ECDSA-P256'));
  const intermediateKeys = asked.intermediate?.keys ?? (await generateKeyPair('ECDSA-P256'));
  const common = { organization: 'cluster.local', now: new Date() };
  const root = issueRoot({
    ...{ ...common, commonName: 'Root CA', random: randomBytes(16), lifetimeMs: 3650 * day },
    ...{ ...asked.root, keys: rootKeys },
  });
  const intermediate = issueIntermediate({
    ...{ ...common, commonName: 'Intermediate CA', random: randomBytes(16), lifetimeMs: 365 * day },
    ...{ ...asked.intermediate, keys: intermediateKeys },
    issuer: { certPem: root.certPem, keys: rootKeys },
  });
  return { root, rootKeys, intermediate, intermediateKeys };
}

/** A certificate of a server for `leafHost`, valid for a day. */
export function issueLeaf(issuer: CertificateIssuer, keys: KeyPair): string {
  return buildCertificate(
    {
      commonName: 'leaf',
      serial: serialOf(randomBytes(16)),
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + day),
      extensions: [
        { name: 'keyUsage', critical: true, digitalSignature: true },
        { name: 'extKeyUsage', serverAuth: true },
        { name: 'subjectAltName', altNames: [{ type: 2, value: leafHost }] },
      ],
    },
    keys,
    issuer,
  );
}

/** The files that istiod is given of an authority, in Istio's layout; some of them as a test wants them. */
export function authorityFiles(
  { root, intermediate }: Authority,
  changed: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    'ca-cert.pem': intermediate.certPem,
    'ca-key.pem': intermediate.keyPem,
    'cert-chain.pem': intermediate.chainPem,
    'root-cert.pem': root.certPem,
    ...changed,
  };
}
