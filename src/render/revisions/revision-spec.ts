import { gatewayKinds } from '../../api/gateway-kinds.ts';
import { mergeJson } from '../../api/merge-json.ts';
import type { MeshOperatorSpec } from '../../api/mesh-operator-spec.ts';
import { nodeComponents } from '../../api/node-components.ts';
import { securityMeshConfig } from '../../api/resolve-security.ts';
import { type JsonObject, type ResolvedMesh, revisionSuffix } from '../../api/resolved-mesh.ts';
import type { Components } from '../../api/spec/components.ts';
import type { WorkloadSettings } from '../../api/spec/kubernetes-settings.ts';
import type { MultiCluster } from '../../api/spec/multi-cluster.ts';
import { isRecord } from '../../base/stable-json.ts';

/** What a mesh has once, whichever of its control planes it follows. */
const sharedComponents: readonly (keyof Components)[] = [
  ...nodeComponents,
  ...gatewayKinds.map(({ list }) => list),
];

/** Gateways belong to the mesh, whichever of its control planes they follow. */
const noGateways: MeshOperatorSpec['components'] = Object.fromEntries(
  gatewayKinds.map(({ list }) => [list, []]),
);

/** The revision that a mesh whose upgrades are `RevisionBased` has for its version: `1-31-1`, or `prod-1-31-1`. */
export function versionRevision({ revision, version }: ResolvedMesh): string {
  const ofVersion = version.patch.replaceAll('.', '-');
  return revision === '' ? ofVersion : `${revision}-${ofVersion}`;
}

/**
 * The spec of the control plane that the version of a mesh asks for: all that the mesh says, without what it has once, its
 * names and its upgrades, which stay its own.
 */
export function revisionSpec(spec: MeshOperatorSpec, mesh: ResolvedMesh): MeshOperatorSpec {
  const {
    upgrade: _upgrade,
    revisionTags: _tags,
    revisionTagScope: _scope,
    paused: _paused,
    historyLimit: _history,
    security,
    telemetry,
    multiCluster,
    ...shared
  } = spec;
  const onNodes = nodeComponents.filter(
    (name) => mesh[name].enabled || spec.components?.[name] !== undefined,
  );
  const parts = Object.entries(spec.components ?? {}).map(([name, part]) => [
    name,
    // A part that is given is enabled, also when nothing of it is left to say.
    Array.isArray(part) ? part : withOwnNames({ enabled: true, ...part }, mesh),
  ]);
  // Policies are the mesh's; what proxies of this control plane are configured with is in its MeshConfig.
  const config = mergeJson(
    securityMeshConfig(security),
    shared.meshConfig as JsonObject | undefined,
    // The whole list, since lists replace those of the profile.
    telemetry?.providers === undefined ? undefined : pickProviders(mesh),
  );
  return {
    ...(withoutEmpty({ ...shared, meshConfig: config } as JsonObject) as MeshOperatorSpec),
    ...(multiCluster === undefined ? {} : { multiCluster: withoutRemotes(multiCluster) }),
    version: mesh.version.patch,
    revision: versionRevision(mesh),
    components: {
      ...(withoutEmpty(Object.fromEntries(parts)) as MeshOperatorSpec['components']),
      ...noGateways,
      ...Object.fromEntries(
        onNodes.map((name) => [name, { enabled: false, namespace: mesh[name].namespace }]),
      ),
      base: { enabled: false },
    },
    ...(mesh.cni.enabled ? { values: capturingByCni(spec.values) } : {}),
  };
}

/** The ways into other clusters are the mesh's: all istiods of a namespace read the same Secrets. */
function withoutRemotes({ remotes: _remotes, ...place }: MultiCluster): MultiCluster {
  return place;
}

function pickProviders({ meshConfig: { extensionProviders } }: ResolvedMesh): JsonObject {
  return extensionProviders === undefined ? {} : { extensionProviders };
}

/** What the CNI plugin does for the pods of the mesh does not depend on who installs it. */
function capturingByCni(values: MeshOperatorSpec['values']): MeshOperatorSpec['values'] {
  return { ...values, pilot: { ...values?.pilot, cni: { enabled: true, ...values?.pilot?.cni } } };
}

/** What the parts of a mesh have in common. */
interface Component {
  readonly enabled?: boolean | undefined;
  readonly k8s?: Pick<WorkloadSettings, 'overlays'> | undefined;
}

/** The objects that overlays name have the name of the control plane in theirs. */
function withOwnNames(part: Component, mesh: ResolvedMesh): Component {
  const { overlays } = part.k8s ?? {};
  if (overlays === undefined) return part;
  const renamed = overlays.map((overlay) => ({ ...overlay, name: ownName(overlay.name, mesh) }));
  return { ...part, k8s: { ...part.k8s, overlays: renamed } };
}

/** `istiod` becomes `istiod-1-31-1`, and `istiod-clusterrole-NAMESPACE` `istiod-clusterrole-1-31-1-NAMESPACE`. */
function ownName(name: string, mesh: ResolvedMesh): string {
  const shared = revisionSuffix(mesh.revision);
  const own = revisionSuffix(versionRevision(mesh));
  const endings = [`${shared}-${mesh.namespace}`, shared];
  const ending = endings.find((text) => name.endsWith(text));
  if (ending === undefined) return name;
  const stem = name.slice(0, name.length - ending.length);
  return `${stem}${own}${ending.slice(shared.length)}`;
}

/** Objects without a field say nothing, and server-side apply would make null of one that had some. */
function withoutEmpty(object: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(object).flatMap(([name, value]) => {
      const kept = isRecord(value) ? withoutEmpty(value as JsonObject) : value;
      return isRecord(kept) && Object.keys(kept).length === 0 ? [] : [[name, kept]];
    }),
  );
}

/** The spec by which what the mesh has once follows the control plane that has `revision` for its spec. */
export function sharedSpec(spec: MeshOperatorSpec, revision: MeshOperatorSpec): MeshOperatorSpec {
  const { revisionTags: _tags, revisionTagScope: _scope, paused: _paused, ...control } = revision;
  const own = sharedComponents.flatMap((name) => {
    const component = spec.components?.[name];
    return component === undefined ? [] : [[name, component]];
  });
  const isShared = (name: string) => (sharedComponents as readonly string[]).includes(name);
  const parts = Object.entries(control.components ?? {}).filter(([name]) => !isShared(name));
  return { ...control, components: Object.fromEntries([...parts, ...own]) };
}
