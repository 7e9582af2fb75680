import type { Bundle } from '../bundle.ts';
import { type BundleCertificate, issuerNameOf, nameOf, placesOf, whereIs } from '../bundle-certificate.ts';
import { type Chain, issuersByName } from '../chain.ts';
import type { Finding } from '../finding.ts';
import type { BundleRule } from '../rule.ts';

/** The chain leads from what signs to a trusted root, and a proxy shows it whole and in order. */
export const chainFindings: BundleRule = (bundle) => {
  const { chain } = bundle;
  if (chain === undefined) return [];
  return [...endFindings(bundle, chain), ...shownFindings(bundle, chain)];
};

function endFindings(bundle: Bundle, { path, end }: Chain): Finding[] {
  const last = path.at(-1) ?? path[0];
  const roots = bundle.layout?.roots ?? 'its file';
  const where = whereIs(last);
  switch (end) {
    case 'trusted':
      return [];
    case 'missing':
      // A file that stands alone may leave its root to another one.
      if (bundle.layout === undefined && bundle.roots.length === 0) return [];
      return [
        {
          ...{ severity: 'error', rule: 'ChainIncomplete', where },
          problem: `Its issuer (${issuerNameOf(last)}) is neither in the chain nor among the roots`,
          fix: `Add the certificate of that issuer: to ${roots} when it is the root, else to ${bundle.layout?.chain ?? 'the chain'}, behind the certificate that it has issued.`,
        },
      ];
    case 'unknown':
      return [
        {
          ...{ severity: 'error', rule: 'UnknownRoot', where },
          problem: `The chain ends in this root, which is not in ${roots}: no proxy trusts it`,
          fix: `Add it to ${roots} on every cluster and wait until all proxies trust it before anything is signed by it, or use an authority of a root that is there already.`,
        },
      ];
    case 'forged':
      return [forged(bundle, last)];
  }
}

function forged({ certificates }: Bundle, certificate: BundleCertificate): Finding {
  const issuers = issuersByName(certificate, certificates).map(placesOf).join(', ');
  return {
    ...{ severity: 'error', rule: 'BadSignature', where: whereIs(certificate) },
    problem: `Its signature is not of the key of its issuer ${issuerNameOf(certificate)} (${issuers}): it was changed, or signed by another authority of that name`,
    fix: 'Take the certificate of the issuer that has signed it, or have it issued again by the one that is here.',
  };
}

/** What is on the path is in the chain's file, in this order; the root may be there, and need not. */
function shownFindings(bundle: Bundle, { path, end }: Chain): Finding[] {
  const chainFile = bundle.layout?.chain ?? bundle.files[0]?.name;
  const file = bundle.files.find(({ name }) => name === chainFile);
  if (file === undefined || file.problems.length > 0 || file.isTooLarge) return [];
  const shown = [...new Set(file.certificates)];
  const ordered = path.filter((each) => shown.includes(each));
  const absent = path.filter((each) => !shown.includes(each) && !bundle.roots.includes(each));
  return [
    ...incomplete(file.name, absent),
    ...wrongOrder(file.name, shown, ordered),
    ...(end === 'trusted' ? unrelated(bundle, shown, path) : []),
  ];
}

function incomplete(where: string, absent: readonly BundleCertificate[]): Finding[] {
  return absent.map((certificate) => ({
    ...{ severity: 'error', rule: 'ChainIncomplete', where },
    problem: `It lacks the certificate of ${placesOf(certificate)} (${nameOf(certificate)}): proxies would show a chain with a gap`,
    fix: `Write into ${where} first the certificate that signs, then the one of its issuer, and so on up to the root, which may be left out.`,
  }));
}

function wrongOrder(
  where: string,
  shown: readonly BundleCertificate[],
  ordered: readonly BundleCertificate[],
): Finding[] {
  const inFile = shown.filter((each) => ordered.includes(each));
  if (inFile.every((each, index) => each === ordered[index])) return [];
  const positions = ordered.map((each) => each.places.find(({ file }) => file === where)?.position);
  return [
    {
      ...{ severity: 'error', rule: 'ChainOrder', where },
      problem:
        'Its certificates are not in the order of the chain: each must be followed by the one that has issued it, and some TLS clients look no further',
      fix: `Put them in this order: ${positions.map((position) => `#${position}`).join(', ')}.`,
    },
  ];
}

function unrelated(
  bundle: Bundle,
  shown: readonly BundleCertificate[],
  path: readonly BundleCertificate[],
): Finding[] {
  return shown
    .filter((each) => !path.includes(each) && !bundle.roots.includes(each))
    .map((certificate) => ({
      ...{ severity: 'warning', rule: 'UnrelatedCertificate', where: whereIs(certificate) },
      problem:
        'It is not on the way from the certificate that signs to a root, and is shown in every handshake',
      fix: 'Take it out of the chain.',
    }));
}
