import { type BundleCertificate, whereIs } from '../bundle-certificate.ts';
import type { Finding } from '../finding.ts';
import { reissue } from '../reissue.ts';
import type { CertificateRule } from '../rule.ts';

const anyPurpose = '2.5.29.37.0';
const serverAuthentication = '1.3.6.1.5.5.7.3.1';
const clientAuthentication = '1.3.6.1.5.5.7.3.2';

/** A certificate is that of an authority which may sign what a mesh needs. */
export const authorityExtensionFindings: CertificateRule = (certificate, bundle, now) =>
  problemsOf(certificate).map((problem) => ({
    ...{ ...problem, where: whereIs(certificate) },
    ...reissue(bundle, certificate, now),
  }));

type ExtensionProblem = Pick<Finding, 'severity' | 'rule' | 'problem'>;

function problemsOf(certificate: BundleCertificate): ExtensionProblem[] {
  const { version, basicConstraints } = certificate;
  if (version < 3) return [oldVersion(version)]; // it has no extensions, and so lacks each of them
  if (basicConstraints?.authority !== true) return [notAnAuthority(certificate)];
  return [...mayNotSign(certificate), ...restrictedPurpose(certificate)];
}

function oldVersion(version: number): ExtensionProblem {
  return {
    ...{ severity: 'error', rule: 'OldVersion' },
    problem: `It is an X.509 v${version} certificate, which cannot say that it is an authority: istiod does not start with it, and proxies refuse what it signs. That is what "openssl x509 -req" makes without -extfile: it drops what the request says`,
  };
}

function notAnAuthority({ basicConstraints }: BundleCertificate): ExtensionProblem {
  const what =
    basicConstraints === undefined ? 'has no basicConstraints' : 'has basicConstraints with CA:FALSE';
  return {
    ...{ severity: 'error', rule: 'NotAnAuthority' },
    problem: `It ${what}, so it is no authority, and istiod does not start with it. "openssl x509 -req" without -extfile makes such certificates, whatever the request says`,
  };
}

function mayNotSign({ keyUsage }: BundleCertificate): ExtensionProblem[] {
  if (keyUsage === undefined) {
    return [
      {
        ...{ severity: 'warning', rule: 'MayNotSign' },
        problem:
          'It has no keyUsage, which RFC 5280 (section 4.2.1.3) asks of an authority; strict verifiers refuse it',
      },
    ];
  }
  if (keyUsage.has('keyCertSign')) return [];
  return [
    {
      ...{ severity: 'error', rule: 'MayNotSign' },
      problem: 'Its keyUsage lacks keyCertSign, so no certificate that it signs verifies',
    },
  ];
}

/** Go and Envoy take the extended usages of an authority for a limit of what it signs. */
function restrictedPurpose({ x509 }: BundleCertificate): ExtensionProblem[] {
  const purposes: readonly string[] | undefined = x509.keyUsage; // Node's name for the extended usages
  if (purposes === undefined || purposes.includes(anyPurpose)) return [];
  if ([serverAuthentication, clientAuthentication].every((purpose) => purposes.includes(purpose))) return [];
  return [
    {
      ...{ severity: 'error', rule: 'RestrictedPurpose' },
      problem:
        'Its extendedKeyUsage leaves out serverAuth or clientAuth, and so limits what it signs: proxies need both',
    },
  ];
}
