/** What to say of a key that people bring along and that has no field here. */
interface FieldHint {
  /** Path without list indexes; a leading `*` stands for any beginning. */
  readonly path: string;
  readonly message: string;
  readonly suggestion?: string;
}

const notYet = 'is not supported by this version of the operator';

/** Keys of IstioOperator, its values and Kubernetes that mean something elsewhere. */
const fieldHints: readonly FieldHint[] = [
  {
    path: 'spec.namespace',
    message: 'is not a field: the control plane lives in the namespace of the MeshOperator',
  },
  {
    path: 'spec.values.global.istioNamespace',
    message: 'is not a field: the control plane lives in the namespace of the MeshOperator',
  },
  { path: 'spec.components.egressGateways', message: notYet },
  { path: 'spec.components.eastWestGateways', message: notYet },
  { path: 'spec.components.cni', message: notYet },
  { path: 'spec.components.ztunnel', message: notYet },
  { path: 'spec.components.istiodRemote', message: notYet },
  { path: 'spec.addonComponents', message: notYet },
  { path: 'spec.compatibilityVersion', message: notYet },
  { path: 'spec.installPackagePath', message: 'is not a field: templates are part of the operator' },
  { path: 'spec.unvalidatedValues', message: 'is not a field: every value is checked; use spec.values' },
  {
    path: 'spec.values.gateways',
    message: 'is not a field: gateways are set in spec.components.ingressGateways[].k8s',
  },
  {
    path: 'spec.values.sidecarInjectorWebhook.templates',
    message: 'is not a field: templates are written in Handlebars, in spec.sidecarInjector.templates',
  },
  { path: 'spec.values.sidecarInjectorWebhook.reinvocationPolicy', message: notYet },
  { path: 'spec.values.revision', message: 'is not a field: use spec.revision' },
  {
    path: 'spec.values.defaultRevision',
    message: 'is not a field: a mesh without spec.revision is the default one',
  },
  { path: 'spec.values.profile', message: 'is not a field: use spec.profile' },
  { path: 'spec.components.pilot.hub', message: 'is not a field here', suggestion: 'spec.values.pilot.hub' },
  { path: 'spec.components.pilot.tag', message: 'is not a field here', suggestion: 'spec.values.pilot.tag' },
  {
    path: 'spec.components.pilot.namespace',
    message: 'is not a field: istiod runs in the namespace of the MeshOperator',
  },
  { path: '*.k8s.replicas', message: 'is not a field', suggestion: 'replicaCount' },
  { path: '*.k8s.annotations', message: 'is not a field', suggestion: 'podAnnotations' },
  { path: '*.k8s.podDisruptionBudget.selector', message: 'must be left out: the operator sets it' },
  {
    path: '*.k8s.service.selector',
    message: 'must be left out: the operator sets it from the labels of the gateway',
  },
];

/** The hint for an unknown key, or undefined. */
export function fieldHint(path: string): FieldHint | undefined {
  const plain = path.replace(/\[[0-9]+\]/g, '');
  return fieldHints.find((hint) =>
    hint.path.startsWith('*') ? plain.endsWith(hint.path.slice(1)) : plain === hint.path,
  );
}
