import { whereIs } from '../bundle-certificate.ts';
import { reissue } from '../reissue.ts';
import type { CertificateRule } from '../rule.ts';

/** An authority allows as many others below it as the chain has (RFC 5280 section 4.2.1.9). */
export const pathLengthFindings: CertificateRule = (certificate, bundle, now) => {
  const below = bundle.chain?.path.indexOf(certificate) ?? -1;
  const allowed = certificate.basicConstraints?.pathLength;
  if (allowed === undefined || allowed >= below) return [];
  return [
    {
      ...{ severity: 'error', rule: 'PathTooLong', where: whereIs(certificate) },
      problem: `It allows ${allowed} authorities between it and a workload (pathlen:${allowed}), and the chain has ${below}: nothing below it verifies`,
      ...reissue(bundle, certificate, now),
    },
  ];
};
