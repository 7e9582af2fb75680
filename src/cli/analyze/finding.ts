import type { RemoteProblem } from '../../controllers/remotes/judge-remote.ts';

/** Every rule of `mesh-operator analyze` by its name; `docs/guides/command-line.md` says what each is about. */
export const analysisRules = [
  'InvalidSpec',
  'MeshNotReady',
  'ConflictingLabels',
  'UnknownRevision',
  'NoDefaultRevision',
  'BarePod',
  'OutdatedProxy',
  'UnsupportedProxy',
  'OtherInjector',
  'MissingCrd',
  'KubernetesVersion',
  'EndOfLife',
  'CertificateEnds',
  'PlaintextTaken',
  'ClusterUnread',
  'TrustDomainsDiffer',
  'NetworkWithoutGateway',
  'OneSidedNamespace',
  'InjectionDiffers',
  'ServiceDiffers',
  'OneSidedIstioObject',
  'IstioObjectDiffers',
] as const;
/** Of two clusters, also why the operator would not take one for part of the mesh of the other. */
export type AnalysisRule = (typeof analysisRules)[number] | RemoteProblem['reason'];

/** Something that breaks a mesh or an upgrade of it (`error`), or may (`warning`). */
export interface AnalysisFinding {
  readonly severity: 'error' | 'warning';
  readonly rule: AnalysisRule;
  /** Kind, namespace and name. */
  readonly object: string;
  /** A sentence without its full stop. */
  readonly why: string;
  /** What to do. */
  readonly fix: string;
}
