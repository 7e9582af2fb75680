import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { injectorComponent } from '../../src/render/injector/injector.ts';
import { factDifferences, objectFacts } from './object-facts.ts';

/** An intended difference to Istio's own charts. Every row must explain something, or it is stale. */
export interface Difference {
  /** Matches `Kind name`. */
  readonly object: RegExp;
  /** Matches `path: theirs -> ours`. */
  readonly fact: RegExp;
  readonly reason: string;
  /** Minors of Istio whose charts differ so; all of them when it is left out. */
  readonly minors?: readonly string[];
}

/** The rows that count for a minor of Istio. */
export function differencesOfMinor(rows: readonly Difference[], minor: string): readonly Difference[] {
  return rows.filter(({ minors }) => minors === undefined || minors.includes(minor));
}

/** Labels that say whose an object is. */
export const ownerLabels: readonly Difference[] = [
  {
    object: /./,
    fact: /metadata\.labels\.(app\.kubernetes\.io\/(instance|version)|helm\.sh\/chart|release|chart|heritage): .* -> nothing$/,
    reason:
      'labels of Helm and its releases; nothing in Istio reads them, and Argo CD would act on "instance"',
  },
  {
    object: /./,
    fact: /metadata\.labels\.(app\.kubernetes\.io\/managed-by|meshoperator\.dev\/mesh(-namespace)?): .* -> "/,
    reason: 'our own labels, which lead back to the MeshOperator',
  },
  {
    object:
      /^(ServiceAccount|Role|RoleBinding|ClusterRole|ClusterRoleBinding|Service|Deployment|PodDisruptionBudget|ValidatingWebhookConfiguration) (istio-reader|istiod|istio-validator)/,
    fact: /^metadata\.labels\.(app|istio): .* -> nothing$/,
    reason: 'read on pods and Services only, and "istio" not even there',
  },
];

/** Labels, of every object. */
export const ourLabels: readonly Difference[] = [
  ...ownerLabels,
  {
    object: /./,
    fact: /metadata\.labels\.(install\.operator\.istio\.io\/owning-resource|operator\.istio\.io\/component): .* -> nothing$/,
    reason: 'istioctl uninstall --purge deletes whatever carries them',
  },
];

/** The role of an istiod of another cluster. */
export const ourReader: readonly Difference[] = [
  {
    object: /^ClusterRole istio-reader-/,
    fact: /^may (get|list|watch) networking\.istio\.io\/workloadentries: \{\} -> nothing$/,
    reason: 'another rule of the same role allows it for every resource of the group',
  },
];

/** The istiod of another cluster under the name of one of this one. */
export const ourRemote: readonly Difference[] = [
  {
    object: /^EndpointSlice istiod$/,
    fact: /^metadata\.labels\.endpointslice\.kubernetes\.io\/managed-by: "Helm" -> "mesh-operator"$/,
    reason: 'who keeps it',
  },
];

/** What may be used of Istio where only stable things may be. */
export const ourStablePolicy: readonly Difference[] = [
  {
    object: /^ValidatingAdmissionPolicy stable-channel-/,
    fact: /^spec\.(variables|validations): /,
    reason: 'the same rules, each with a message of its own: what they deny is tested on an API server',
  },
  {
    object: /^ValidatingAdmissionPolicy stable-channel-default-policy/,
    fact: /^spec\.matchConstraints\.objectSelector\.matchExpressions: nothing -> .*DoesNotExist/,
    reason: 'objects that name a revision are judged by that revision only, and once',
  },
  {
    object: /^ValidatingAdmissionPolicy(Binding)? stable-channel-/,
    fact: /^metadata\.labels\.(app\.kubernetes\.io\/(name|part-of): nothing -> |(istio|istio\.io\/rev): .* -> nothing)/,
    reason: 'labels as of every other object of istiod; nothing reads those that are left out',
  },
];

/** istiod, whoever signs. */
export const ourIstiodOfAnotherAuthority: readonly Difference[] = [
  ...ourReader,
  {
    object: /^Deployment istiod/,
    fact: /env\[ISTIO_MULTIROOT_MESH\]\.value: nothing -> "true"$/,
    reason: 'trust bundles can grow, so that roots can be replaced',
  },
  {
    object: /^Deployment istiod/,
    fact: /env\[INJECTION_WEBHOOK_CONFIG_NAME\]: nothing -> \{\}$/,
    reason: 'injection is our own webhook: istiod must not patch any',
  },
  {
    object: /^Deployment istiod/,
    fact: /env\[PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER\]\.value: nothing -> "false"$/,
    reason: 'istiod deploys no Gateways, and has no role to do so',
  },
  {
    object: /^Deployment istiod/,
    fact: /^spec\.template\.spec\.securityContext\.(runAsNonRoot|seccompProfile\.type): nothing -> /,
    reason: 'Pod Security level restricted',
  },
];

/** istiod that signs itself. */
export const ourIstiod: readonly Difference[] = [
  ...ourIstiodOfAnotherAuthority,
  {
    object: /^Deployment istiod/,
    fact: /volumes\[cacerts\]\.secret\.optional: true -> (false|nothing)$/,
    reason: 'an istiod that starts before its authority is there would make one of its own',
  },
];

/** What there is of the default revision only. */
export const ourDefaultRevision: readonly Difference[] = [
  {
    object: /^ValidatingWebhookConfiguration istiod-default-validator$/,
    fact: /objectSelector\.matchExpressions: nothing -> .*DoesNotExist/,
    reason: 'objects that name a revision are validated by that revision only, and once',
  },
];

/** The ingress gateway, beside its ports. */
export const ourGateway: readonly Difference[] = [
  {
    object: /^(ServiceAccount|Role|RoleBinding|Service|HorizontalPodAutoscaler|Deployment) istio-.*gateway/,
    fact: /^metadata\.labels\.istio\.io\/dataplane-mode: "none" -> nothing$/,
    reason: 'read on pods only',
  },
  {
    object: /^(Role|RoleBinding) istio-.*gateway-sds$/,
    fact: /^metadata\.labels\.(app|istio): nothing -> /,
    reason: 'every object of a gateway is found by the gateway’s labels',
  },
  {
    object: /^RoleBinding istio-.*gateway-sds$/,
    fact: /^subjects\[.*\]\.namespace: nothing -> /,
    reason: 'the API server refuses a ServiceAccount subject without its namespace',
  },
  {
    object: /^Deployment istio-.*gateway$/,
    fact: /metadata\.annotations\.sidecar\.istio\.io\/inject: .* -> nothing$/,
    reason: 'said by a label, which wins over the annotation',
  },
  {
    object: /^Deployment istio-.*gateway$/,
    fact: /env\[(GOMAXPROCS|GOMEMLIMIT|ISTIO_META_APP_CONTAINERS|ISTIO_META_INTERCEPTION_MODE|ISTIO_META_POD_PORTS|PROXY_CONFIG)\].*: nothing -> /,
    reason: 'as istiod’s injector sets them; the chart predates them',
  },
  {
    object: /^Deployment istio-.*gateway$/,
    fact: /env\[NODE_NAME\]\..* -> nothing$/,
    reason: 'the injector’s name for it is ISTIO_META_NODE_NAME, which is set',
  },
  {
    object: /^Deployment istio-.*gateway$/,
    fact: /volumeMounts\[\/var\/run\/secrets\/tokens\]\.readOnly: true -> nothing$/,
    reason: 'as the injector mounts it; a projected token cannot be written anyway',
  },
  {
    object: /^Deployment istio-.*gateway$/,
    fact: /env\[ISTIO_META_UNPRIVILEGED_POD\]\.value: "true" -> nothing$/,
    reason: 'a sysctl lets the proxy bind ports below 1024, so any target port works',
  },
  {
    object: /^Deployment istio-.*gateway$/,
    fact: /(readinessProbe|startupProbe)\./,
    reason: 'as the injector sets them: a patient start, then a calm readiness check',
  },
  {
    object: /^Deployment istio-.*gateway$/,
    fact: /securityContext\.(runAsGroup|runAsNonRoot|runAsUser|seccompProfile\.type|sysctls): /,
    reason: 'Pod Security level restricted; user and group moved from the pod to its container',
  },
  {
    object: /^Deployment istio-.*gateway$/,
    fact: /^spec\.template\.spec\.terminationGracePeriodSeconds: nothing -> 30$/,
    reason: 'the API server’s default, written out because drains depend on it',
  },
  {
    object: /^Deployment istio-.*gateway$/,
    fact: /(volumes\[config-volume\]|volumeMounts\[\/etc\/istio\/config\])\./,
    reason: 'PROXY_CONFIG says it, and a change of it restarts the pod',
  },
  {
    object: /^Deployment istio-.*gateway$/,
    fact: /(volumes\[(in|e)gressgateway-(ca-)?certs\]|volumeMounts\[\/etc\/istio\/(in|e)gressgateway-(ca-)?certs\])\./,
    reason: 'certificates come by credentialName; files in the pod are the way of Istio 1.4',
  },
  {
    object: /^Deployment istio-.*gateway$/,
    fact: /volumes\[istio-envoy\]\.emptyDir/,
    reason: 'in memory, as the injector has it: it holds the bootstrap configuration',
  },
  {
    object: /^Deployment istio-.*gateway$/,
    fact: /(volumes\[(istio-)?podinfo\]|volumeMounts\[\/etc\/istio\/pod\])\./,
    reason: 'named as in injected pods',
  },
];

/** Where pods of our gateways listen: on the ports of the Service, as upstream's newer chart has it. */
export const ourGatewayPorts: readonly Difference[] = [
  {
    object: /^Service istio-.*gateway$/,
    fact: /^spec\.ports\[(80|443)\]\.targetPort: (8080|8443) -> nothing$/,
    reason: 'target port = port, as in the chart "gateway"; the sysctl allows it',
  },
  {
    object: /^Deployment istio-.*gateway$/,
    fact: /containers\[istio-proxy\]\.ports\[(80|443|8080|8443)\]/,
    reason: 'the Service sends traffic to 80 and 443',
  },
];

/** Gateways whose number of pods no autoscaler decides. */
export const ourGatewayReplicas: readonly Difference[] = [
  {
    object: /^Deployment istio-.*gateway$/,
    fact: /^spec\.replicas: nothing -> 1$/,
    reason: 'without an autoscaler the number is ours, and a change of it is repaired',
  },
];

/** Objects of the charts that a mesh of the default profile does not have, and why. */
export const absentInDefault = {
  'ConfigMap values': 'a record of Helm values that nothing reads',
  'ConfigMap istio-sidecar-injector': 'injection is our own webhook',
  'MutatingWebhookConfiguration istio-sidecar-injector': 'injection is our own webhook',
  'ClusterRole istiod-gateway-controller-istio-system': 'istiod deploys no Gateways',
  'ClusterRoleBinding istiod-gateway-controller-istio-system': 'istiod deploys no Gateways',
};

/** The agent of the CNI plugin. */
export const ourCni: readonly Difference[] = [
  {
    object: /^[A-Za-z]+ istio-cni/,
    fact: /^metadata\.labels\.(app|k8s-app|istio\.io\/rev): .* -> nothing$/,
    reason: 'read by nobody; the agent is of no revision',
  },
  {
    object: /^ClusterRoleBinding istio-cni-repair-role$/,
    fact: /^metadata\.name: "istio-cni-repair-rolebinding" -> "istio-cni-repair-role"$/,
    reason: 'a binding is called as its role',
  },
  {
    object: /^DaemonSet istio-cni-node$/,
    fact: /annotations\.container\.apparmor\.security\.beta\.kubernetes\.io\/install-cni: "unconfined" -> nothing$/,
    reason: 'for Kubernetes 1.29; newer ones have a field',
  },
  {
    object: /^DaemonSet istio-cni-node$/,
    fact: /containers\[install-cni\]\.securityContext\.appArmorProfile\.type: nothing -> "Unconfined"$/,
    reason: 'the field of Kubernetes 1.30',
  },
  {
    object: /^DaemonSet istio-cni-node$/,
    fact: /annotations\.meshoperator\.dev\/config: nothing -> /,
    reason: 'a change of the ConfigMap, which is read once, makes the pods anew',
  },
];

/** ztunnel of the default revision. */
export const ourZtunnel: readonly Difference[] = [
  {
    object: /^(ServiceAccount|DaemonSet|ClusterRole|ClusterRoleBinding) ztunnel$/,
    fact: /^metadata\.annotations: \{\} -> nothing$/,
    reason: 'nothing is annotated',
  },
];

/** Objects of the CNI chart that have another name here: ours -> theirs. */
export const renamedInCni = {
  'ClusterRoleBinding istio-cni-repair-role': 'ClusterRoleBinding istio-cni-repair-rolebinding',
};

/** The same for one whose istiod is in another cluster. */
export const absentInRemote = {
  'ConfigMap values': 'a record of Helm values that nothing reads',
  'MutatingWebhookConfiguration istio-sidecar-injector': 'injection is our own webhook',
  'ValidatingWebhookConfiguration istiod-default-validator':
    'objects of Istio are validated where istiod reads them, in its own cluster',
};

/** Objects by `Kind name`. */
export function byName(objects: readonly KubernetesObject[]): Map<string, KubernetesObject> {
  return new Map(objects.map((object) => [`${object.kind} ${object.metadata.name}`, object]));
}

/** The charts have no injector of its own; whom its webhooks select is compared with the core on an API server. */
export function isOfInjector({ metadata }: KubernetesObject): boolean {
  return metadata.labels?.app === injectorComponent;
}

/** What a list of intended differences leaves over, on either side. */
export interface Comparison {
  /** `Kind name` of ours and the fact that differs, for which there is no row. */
  readonly unexplained: readonly { readonly name: string; readonly fact: string }[];
  /** Reasons of rows that nothing differs by. */
  readonly stale: readonly string[];
}

/** Compares what both have. `theirName` gives their `Kind name` for one of ours. */
export function compareObjects(
  theirs: ReadonlyMap<string, KubernetesObject>,
  ours: ReadonlyMap<string, KubernetesObject>,
  differences: readonly Difference[],
  theirName: (ourName: string) => string = (name) => name,
): Comparison {
  const found = [...ours].flatMap(([name, object]) => {
    const their = theirs.get(theirName(name));
    if (their === undefined) return [];
    return factDifferences(objectFacts(their), objectFacts(object)).map((fact) => ({ name, fact }));
  });
  const explains = (row: Difference, { name, fact }: { name: string; fact: string }) =>
    row.object.test(name) && row.fact.test(fact);
  return {
    unexplained: found.filter((line) => !differences.some((row) => explains(row, line))),
    stale: differences.filter((row) => !found.some((line) => explains(row, line))).map((row) => row.reason),
  };
}
