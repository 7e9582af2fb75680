import { X509Certificate } from 'node:crypto';
import { servingAuthorityName } from '../../pki/serving-certificate.ts';

/** One authority of a bundle. */
interface Authority {
  readonly pem: string;
  readonly fingerprint: string;
  readonly subject: string;
  readonly notAfter: Date;
}

/**
 * Authorities of one bundle. A certificate is in use for a few seconds at least and its successor reaches every replica
 * within two minutes, so none that is older than so many can still be shown. Without a bound, a tool that deletes the
 * serving Secret again and again would make the webhook configuration too large for the API server, for good.
 */
const maximumAuthorities = 48;

/**
 * The bundle that a webhook should have: the authorities in `needed`, after those of ours in `observedPem` that have
 * not expired. An authority signs one certificate and expires with it, so until then a replica may still show that
 * certificate, and after that none can: nothing is dropped on a guess, but for the oldest of very many. What is not
 * ours, or is no certificate, goes.
 */
export function determineCaBundle(observedPem: string, needed: readonly string[], now: Date): string {
  const kept = authoritiesIn(observedPem).filter(
    ({ subject, notAfter }) => subject === `CN=${servingAuthorityName}` && notAfter > now,
  );
  const wanted = needed.flatMap(authoritiesIn);
  const byFingerprint = new Map([...kept, ...wanted].map((authority) => [authority.fingerprint, authority]));
  const authorities = [...byFingerprint.values()];
  const isWanted = ({ fingerprint }: Authority) => wanted.some((other) => other.fingerprint === fingerprint);
  const surplus = Math.max(0, authorities.length - maximumAuthorities);
  const dropped = authorities.filter((authority) => !isWanted(authority)).slice(0, surplus);
  return authorities
    .filter((authority) => !dropped.includes(authority))
    .map(({ pem }) => pem)
    .join('');
}

/** True when a client that has this bundle trusts what the authority signed. */
export function bundleTrusts(bundlePem: string, authorityPem: string): boolean {
  const [wanted] = authoritiesIn(authorityPem);
  return authoritiesIn(bundlePem).some(({ fingerprint }) => fingerprint === wanted?.fingerprint);
}

const pemBlock = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

function authoritiesIn(pem: string): Authority[] {
  return (pem.match(pemBlock) ?? []).flatMap((block) => {
    const certificate = parse(block);
    if (certificate === undefined) return [];
    const { fingerprint256: fingerprint, subject, validToDate: notAfter } = certificate;
    return [{ pem: certificate.toString(), fingerprint, subject, notAfter }];
  });
}

/** What somebody wrote into a bundle by hand may be anything; it is not kept, so nobody has to know why. */
function parse(block: string): X509Certificate | undefined {
  try {
    return new X509Certificate(block);
  } catch {
    return undefined;
  }
}
