import { type BundleCertificate, isSelfIssued, whereIs } from '../bundle-certificate.ts';
import type { Finding } from '../finding.ts';
import type { BundleRule } from '../rule.ts';

/** One root is trusted, or as many as a rotation needs, and each is one. */
export const rootFindings: BundleRule = ({ layout, roots, files }) => {
  return [
    ...roots.filter((root) => !isSelfIssued(root)).map(notSelfSigned),
    ...(roots.length > 1 ? [several(layout?.roots ?? files[0]?.name ?? '', roots.length)] : []),
  ];
};

function notSelfSigned(certificate: BundleCertificate): Finding {
  return {
    ...{ severity: 'warning', rule: 'RootNotSelfSigned', where: whereIs(certificate) },
    problem: 'It is trusted as a root but not self-signed: verifiers that want a whole chain refuse it',
    fix: 'Put the self-signed root of its chain in its place.',
  };
}

function several(where: string, count: number): Finding {
  return {
    ...{ severity: 'warning', rule: 'SeveralRoots', where },
    problem: `It holds ${count} roots. That is right while a root is rotated, and istiod needs ISTIO_MULTIROOT_MESH=true for it; at other times whoever has the key of any of them can sign for the mesh`,
    fix: 'When no rotation is under way, leave the root of the chain alone in it, once no proxy has a certificate of another one.',
  };
}
