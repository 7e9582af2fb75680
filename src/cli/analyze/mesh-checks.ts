import { findCondition } from '../../api/conditions.ts';
import { idOf, idText, type KubernetesObject } from '../../api/kubernetes-object.ts';
import type { MeshOperator } from '../../api/mesh-operator.ts';
import type { MeshOperatorStatus } from '../../api/mesh-operator-status.ts';
import { problemText } from '../../api/problem.ts';
import { validateMeshOperator } from '../../api/validate.ts';
import { adviceFor } from '../advice.ts';
import { endText } from '../ca-status.ts';
import { type AnalysisInput, withoutStatus } from './analysis-input.ts';
import type { AnalysisFinding } from './finding.ts';

/** A certificate that ends within so much time should have somebody who renews it. */
const soonMs = 30 * 86_400_000;

/** Specs that are wrong, and meshes that are not Ready, which is no time for an upgrade. */
export function checkMeshes({ meshes }: AnalysisInput): AnalysisFinding[] {
  return meshes.flatMap((object): AnalysisFinding[] => {
    const name = idText(idOf(object));
    const { status } = object as unknown as MeshOperator;
    const problems = validateMeshOperator(withoutStatus(object));
    if (problems.length > 0) {
      return problems.map((problem) => ({
        ...({ severity: 'error', rule: 'InvalidSpec', object: name } as const),
        why: problemText(problem),
        fix: 'correct the field; "mesh-operator validate -f FILE" checks before you apply',
      }));
    }
    return status === undefined ? [] : notReady(name, status);
  });
}

function notReady(object: string, { state, conditions = [] }: MeshOperatorStatus): AnalysisFinding[] {
  if (state === 'Ready' || state === undefined) return [];
  const ready = findCondition(conditions, 'Ready');
  return [
    {
      severity: state === 'Stalled' ? 'error' : 'warning',
      rule: 'MeshNotReady',
      object,
      why: `it is ${state}: ${ready?.message ?? 'the operator does not say why'}`,
      fix:
        adviceFor(conditions)[0] ??
        'wait until it is Ready before you upgrade; "mesh-operator status" shows how far it is',
    },
  ];
}

/** Mutual TLS that a spec asks for and that is not in force, since somebody calls in plaintext or nobody knows. */
export function checkMutualTls({ meshes }: AnalysisInput): AnalysisFinding[] {
  return meshes.flatMap((object): AnalysisFinding[] => {
    const { status } = object as unknown as MeshOperator;
    const condition = findCondition(status?.conditions ?? [], 'MutualTlsInForce');
    if (condition === undefined || status?.mtls?.waiting === undefined) return [];
    return [
      {
        ...({ severity: 'warning', rule: 'PlaintextTaken', object: idText(idOf(object)) } as const),
        why: condition.message,
        fix: adviceFor([condition])[0] ?? 'see "mesh-operator status"',
      },
    ];
  });
}

/** Certificates that have ended, or end soon without anybody who renews them before. */
export function checkCertificates({ meshes }: AnalysisInput, now: Date): AnalysisFinding[] {
  return meshes.flatMap((object) => {
    const { status } = object as unknown as MeshOperator;
    return status === undefined ? [] : endings(object, status, now);
  });
}

function endings(object: KubernetesObject, status: MeshOperatorStatus, now: Date): AnalysisFinding[] {
  const { certificateAuthority, trustBundle, conditions = [] } = status;
  const isTrusted = findCondition(conditions, 'TrustHealthy')?.status !== 'False';
  const nextRotation = isTrusted ? certificateAuthority?.nextRotation : undefined;
  const certificates = [
    ...(['root', 'intermediate'] as const).map((kind) => ({
      what: `the ${kind}`,
      notAfter: certificateAuthority?.[kind].current.notAfter,
      renewedAt: nextRotation?.[kind]?.at ?? (kind === 'intermediate' ? nextRotation?.root?.at : undefined),
    })),
    ...(trustBundle?.roots ?? []).map(({ serial, notAfter }) => ({
      what: `root ${serial} of ConfigMap ${trustBundle?.configMap}`,
      notAfter,
      renewedAt: undefined,
    })),
  ];
  return certificates.flatMap(({ what, notAfter, renewedAt }): AnalysisFinding[] => {
    if (notAfter === undefined) return [];
    const leftMs = Date.parse(notAfter) - now.getTime();
    const isRenewed = renewedAt !== undefined && Date.parse(renewedAt) < Date.parse(notAfter);
    if (leftMs > soonMs || (leftMs > 0 && isRenewed)) return [];
    return [
      {
        severity: leftMs <= 0 ? 'error' : 'warning',
        rule: 'CertificateEnds',
        object: idText(idOf(object)),
        why: `${what} ${endText(notAfter, now)}, and nothing renews it before`,
        fix: 'see "mesh-operator ca plan" for what stands against a rotation, and "mesh-operator ca rotate" to ask for one',
      },
    ];
  });
}
