import type { CertificateAuthorityStatus } from '../api/mesh-operator-status.ts';

/**
 * What can be done with a stolen key of the authority, and until when; lines for the person who has it replaced.
 * `issuer`, where there is one, is who has the root; `isOfIstiodAlone`: workloads have certificates of another authority.
 */
export function exposureLines(
  { root, intermediate, lastRotation }: CertificateAuthorityStatus,
  { issuer, isOfIstiodAlone }: { readonly issuer?: string | undefined; readonly isOfIstiodAlone: boolean },
): string[] {
  return [
    `Exposure: the key of root ${root.current.serial} or of intermediate ${intermediate.current.serial} is in other hands.`,
    isOfIstiodAlone
      ? '  Whoever has it can pretend to be istiod, and so configure any proxy that reaches it, until every copy of the old root is gone. Workloads cannot be impersonated: SPIRE issues their certificates.'
      : '  Whoever has it can issue a certificate of any identity of the mesh, and so impersonate any workload, until every proxy has dropped the old root.',
    `  Without a rotation that is until the root ends, ${root.current.notAfter}. ${begins(issuer)}`,
    `  ${measured(lastRotation)}`,
    ...(issuer === undefined
      ? []
      : [
          `  The root is that of ${issuer}: it is dropped only if it has been replaced there before. Otherwise the intermediate alone is replaced, and the old one verifies until it ends, ${intermediate.current.notAfter}.`,
        ]),
    '  What trusts this root outside the mesh, other clusters among it, is exposed until it is removed there.',
  ];
}

function measured(lastRotation: CertificateAuthorityStatus['lastRotation']): string {
  if (lastRotation === undefined) return 'No rotation of this mesh has been measured yet.';
  const { kind, reason, finishedAt, seconds } = lastRotation;
  const soaks = reason === 'KeyCompromise' ? '' : ', soaks included';
  return `The last rotation (${kind}, ${reason}, ended ${finishedAt}) took ${seconds.toFixed(1)} s${soaks}.`;
}

function begins(issuer: string | undefined): string {
  return issuer === undefined
    ? 'The rotation of root and intermediate begins now and does not soak.'
    : `The rotation begins when ${issuer} has signed, and does not soak.`;
}
