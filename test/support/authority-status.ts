import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import type { MeshOperatorSpec } from '../../src/api/mesh-operator-spec.ts';
import type { CertificateAuthorityStatus, Condition } from '../../src/api/mesh-operator-status.ts';
import { aMeshOperator } from './mesh-operator.ts';

/** What a healthy authority at rest says of itself. */
export function anAuthorityStatus(
  changes: Partial<CertificateAuthorityStatus> = {},
): CertificateAuthorityStatus {
  return {
    phase: 'Stable',
    root: { current: { serial: 'a1', fingerprint: 'f1', notAfter: '2036-01-01T00:00:00.000Z' } },
    intermediate: { current: { serial: 'b1', fingerprint: 'f2', notAfter: '2027-01-01T00:00:00.000Z' } },
    nextRotation: {
      root: { at: '2032-09-13T00:00:00.000Z', reason: 'Threshold' },
      intermediate: { at: '2026-09-02T00:00:00.000Z', reason: 'Schedule' },
    },
    ...changes,
  };
}

/** Condition TrustHealthy of such an authority. */
export function aTrustCondition(changes: Partial<Condition> = {}): Condition {
  return {
    type: 'TrustHealthy',
    status: 'True',
    reason: 'Healthy',
    message: 'All is well',
    lastTransitionTime: '2026-01-01T00:00:00Z',
    ...changes,
  };
}

/** A MeshOperator whose status says this of its authority. */
export function aMeshWithAuthority(
  authority: Partial<CertificateAuthorityStatus> = {},
  condition: Partial<Condition> = {},
  spec: MeshOperatorSpec = {},
): KubernetesObject {
  const status = {
    conditions: [aTrustCondition(condition)],
    certificateAuthority: anAuthorityStatus(authority),
  };
  return { ...aMeshOperator(spec), status } as unknown as KubernetesObject;
}
