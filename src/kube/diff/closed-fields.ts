/**
 * Lists and maps of ours where an addition by someone else is drift too, by kind; `[]` stands for any item.
 * Everything else is open: labels, annotations, replicas under an HPA, caBundle, what a controller fills in.
 * (Lists and selectors that the API server replaces as a whole, such as RBAC rules, webhook rules and Service
 * selectors, need no line once we set them: an addition changes the value that we own.)
 */
export type ClosedFields = Readonly<Record<string, readonly string[]>>;

const closedInContainer = ['env', 'envFrom', 'volumeMounts', 'command', 'args', 'lifecycle', 'ports'];

const closedInPod = [
  'containers',
  ...closedInContainer.map((field) => `containers[].${field}`),
  'initContainers',
  ...closedInContainer.map((field) => `initContainers[].${field}`),
  'volumes',
  'hostAliases',
].map((field) => `spec.template.spec.${field}`);

const closedInWebhooks = [
  'webhooks',
  'webhooks[].rules',
  'webhooks[].namespaceSelector',
  'webhooks[].objectSelector',
  'webhooks[].matchConditions',
];

/** The table the operator works with. */
export const closedFields: ClosedFields = {
  ConfigMap: ['data', 'binaryData'],
  Secret: ['data'],
  Service: ['spec.selector', 'spec.ports', 'spec.externalIPs', 'spec.loadBalancerSourceRanges'],
  Deployment: closedInPod,
  DaemonSet: closedInPod,
  StatefulSet: closedInPod,
  Role: ['rules'],
  ClusterRole: ['rules'],
  RoleBinding: ['subjects'],
  ClusterRoleBinding: ['subjects'],
  ValidatingWebhookConfiguration: closedInWebhooks,
  MutatingWebhookConfiguration: closedInWebhooks,
  // What somebody adds to a policy would open it, or take pods out of it.
  PeerAuthentication: ['spec'],
  RequestAuthentication: ['spec'],
  AuthorizationPolicy: ['spec'],
  HorizontalPodAutoscaler: ['spec.metrics'],
};

/**
 * Fields that get our value when the object is created and then belong to whoever changes them: by kind.
 * istiod turns the failure policy of its own webhooks to Fail once it has seen them work.
 */
export const seededFields: ClosedFields = {
  ValidatingWebhookConfiguration: ['webhooks[].failurePolicy'],
  MutatingWebhookConfiguration: ['webhooks[].failurePolicy'],
};
