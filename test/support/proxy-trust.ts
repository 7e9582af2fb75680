import { X509Certificate } from 'node:crypto';
import type { Cluster } from '../cluster/cluster.ts';
import { type AppContainer, execIn } from './app-requests.ts';

/** What one Envoy holds, as itself says; certificates by their SHA-256, lower-case hexadecimal. */
export interface ProxyTrust {
  /** `namespace/workload`. */
  readonly proxy: string;
  /** Roots that it verifies others by, sorted. */
  readonly roots: readonly string[];
  /** The certificate that has issued its own, as the signature proves. */
  readonly signer: string;
}

/** What each of these proxies trusts, and whose certificate it shows. */
export function readProxyTrust(
  cluster: Cluster,
  proxies: readonly AppContainer[],
): Promise<readonly ProxyTrust[]> {
  return Promise.all(
    proxies.map(async (proxy) => ({
      proxy: `${proxy.namespace}/${proxy.workload}`,
      ...trustIn(await readSecrets(cluster, proxy)),
    })),
  );
}

/** The certificates that a proxy shows, PEM, its own first. */
export async function readShownChain(cluster: Cluster, proxy: AppContainer): Promise<string> {
  const { configs } = await readSecrets(cluster, proxy);
  const chain = configs.find(({ name }) => name === 'default')?.secret.tls_certificate?.certificate_chain;
  return textOf(chain);
}

async function readSecrets(cluster: Cluster, proxy: AppContainer): Promise<SecretsDump> {
  const question = ['GET', 'config_dump?resource=dynamic_active_secrets'];
  return JSON.parse(await execIn(cluster, proxy, 'pilot-agent', 'request', ...question)) as SecretsDump;
}

/** SHA-256 of each certificate of a PEM text, lower-case hexadecimal. */
export function fingerprintsOf(pem: string): string[] {
  return certificatesOf(pem).map(fingerprintOf);
}

/** Of Envoy's admin.v3.SecretsConfigDump, what is looked at here. */
interface SecretsDump {
  readonly configs: readonly {
    readonly name: string;
    readonly secret: {
      readonly tls_certificate?: { readonly certificate_chain: Bytes };
      readonly validation_context?: { readonly trusted_ca: Bytes };
    };
  }[];
}

interface Bytes {
  readonly inline_bytes: string;
}

function trustIn({ configs }: SecretsDump): Omit<ProxyTrust, 'proxy'> {
  const secretNamed = (wanted: string) => configs.find(({ name }) => name === wanted)?.secret;
  const roots = certificatesIn(secretNamed('ROOTCA')?.validation_context?.trusted_ca);
  const [leaf, ...issuers] = certificatesIn(secretNamed('default')?.tls_certificate?.certificate_chain);
  const signer = [...issuers, ...roots].find((issuer) => leaf?.verify(issuer.publicKey));
  if (signer === undefined) throw new Error('its own certificate is issued by none that it shows or trusts');
  return { roots: roots.map(fingerprintOf).sort(), signer: fingerprintOf(signer) };
}

function certificatesIn(bytes: Bytes | undefined): X509Certificate[] {
  return certificatesOf(textOf(bytes));
}

function textOf(bytes: Bytes | undefined): string {
  return Buffer.from(bytes?.inline_bytes ?? '', 'base64').toString();
}

function certificatesOf(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase();
}
