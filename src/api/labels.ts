import { type KubernetesObject, keyText, type ObjectKey } from './kubernetes-object.ts';

/** On every object that belongs to one mesh; informers select on it. */
export const managedByLabel = 'app.kubernetes.io/managed-by';
export const managedByValue = 'mesh-operator';
export const partOfLabel = 'app.kubernetes.io/part-of';
export const partOfValue = 'istio';
/** Name and namespace of the MeshOperator an object belongs to. */
export const meshLabel = 'meshoperator.dev/mesh';
export const meshNamespaceLabel = 'meshoperator.dev/mesh-namespace';

/**
 * On the pod by which the admission controller sees, in a dry run, that the API server reaches the injector; its value
 * is the revision.
 */
export const injectorSelfTestLabel = 'meshoperator.dev/injector-self-test';

/** On the Secret that holds an authority, and on copies of the bundle of another one; its value is the control-plane namespace. */
export const authorityLabel = 'meshoperator.dev/authority';

/** On a MeshOperator: asks for a rotation. Its value is `root`, `intermediate` or `KeyCompromise`, and `/` with any text to ask again. */
export const rotateAnnotation = 'meshoperator.dev/rotate';

/**
 * On a MeshOperator: asks for other credentials for its other clusters; its value is any text, and another one asks again.
 * For one of them alone it is the name of that, `/` and any text.
 */
export const rotateRemotesAnnotation = 'meshoperator.dev/rotate-remotes';

/** On pods of istiod: the bundle that they should load, and when that was said. Its change makes kubelet refresh what they have mounted. */
export const bundleAnnotation = 'meshoperator.dev/trust-bundle';

/** On the pod template of a workload that is restarted for another version of its proxies; its value is that version, and since when it is wanted. */
export const restartAnnotation = 'meshoperator.dev/proxy-version';

/** On pods that read a ConfigMap once, as their environment: a hash of it, so that a change makes them anew. */
export const configAnnotation = 'meshoperator.dev/config';

/** Of pods, Services and namespaces: the network that they are in, or whose gateway they are. */
export const networkLabel = 'topology.istio.io/network';

/**
 * On a namespace: the tenant that it belongs to, its control plane's own namespace included. Whoever may label namespaces
 * thereby consents to what the operator puts there for that tenant.
 */
export const tenantLabel = 'meshoperator.dev/tenant';

/**
 * On a namespace, by the operator: the tenant that it has been made a member of, until everything that was put there is gone.
 * Only where it says the same as the label above do istiod and injector of the tenant know the namespace.
 */
export const memberLabel = 'meshoperator.dev/member';

/** On Secrets that hold a credential for another cluster, istiod's or the operator's; its value is the name of that. */
export const remoteLabel = 'meshoperator.dev/remote';

/** On the Secrets by which istiods know other clusters, and are let into them. */
export const remoteSecretsLabel = 'meshoperator.dev/remote-secrets';

/** On pods of istiod: the version of the tokens that they have mounted for other clusters, and when that was said. Its change makes kubelet refresh them. */
export const remoteTokensAnnotation = 'meshoperator.dev/remote-tokens';

/** On the pod template of an istiod that is restarted since it has lost what it knew of another cluster; its value is since when. */
export const remoteRestartAnnotation = 'meshoperator.dev/remote-restart';

/** On what a mesh has in another cluster: the cluster that it is for. */
export const readerLabel = 'meshoperator.dev/reader-of';

/** On whom the operator of one cluster is in another one, and on the Secret that lets it in: the name of the former. */
export const operatorAccessLabel = 'meshoperator.dev/operator-access-of';

/** On what a cluster is told that follows the istiod of another one: the cluster that has it. */
export const primaryLabel = 'meshoperator.dev/primary';

/** Selects every object of every mesh. */
export const managedBySelector = `${managedByLabel}=${managedByValue}`;

/**
 * The labels of every object of one mesh. `operator.istio.io/*` and `install.operator.istio.io/*` are never
 * among them: `istioctl uninstall --purge` deletes whatever carries those.
 */
export function ownershipLabels(mesh: ObjectKey): Record<string, string> {
  return {
    [managedByLabel]: managedByValue,
    [partOfLabel]: partOfValue,
    [meshLabel]: mesh.name,
    [meshNamespaceLabel]: mesh.namespace,
  };
}

/** The mesh an object belongs to by its labels; undefined for an object that is not ours. */
export function ownerByLabels(labels: Readonly<Record<string, string>> | undefined): ObjectKey | undefined {
  if (labels?.[managedByLabel] !== managedByValue) return undefined;
  const name = labels[meshLabel];
  const namespace = labels[meshNamespaceLabel];
  return name === undefined || namespace === undefined ? undefined : { name, namespace };
}

/** Index function of informers: the mesh an object belongs to, as `keyText` writes it; none for an object of nobody. */
export function ownerGroup(object: KubernetesObject): string[] {
  const owner = ownerByLabels(object.metadata.labels);
  return owner === undefined ? [] : [keyText(owner)];
}

/** Labels of a namespace, with the one that the API server gives it. */
export function labelsOfNamespace({ metadata }: KubernetesObject): Record<string, string> {
  return { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name };
}
