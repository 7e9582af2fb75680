import { isRecord } from '../../base/stable-json.ts';
import { type AnyGateway, type GatewayKind, gatewayKinds } from '../gateway-kinds.ts';
import type { MeshOperatorSpec } from '../mesh-operator-spec.ts';
import { revisionSuffix } from '../resolved-mesh.ts';
import type { DaemonSetSettings, GatewaySettings } from '../spec/kubernetes-settings.ts';
import type { Values } from '../spec/values.ts';
import type { Draft } from './schema-problems.ts';

/** What checks look at: the parts of a spec whose shape is right. */
export interface SpecView {
  readonly namespace: string;
  readonly spec: Draft<MeshOperatorSpec>;
}

export type GatewayDraft = Draft<AnyGateway>;

/** One gateway of a spec, and where it is. */
export interface GatewayView {
  readonly path: string;
  readonly kind: GatewayKind;
  readonly gateway: GatewayDraft;
}

type CniValues = NonNullable<Values['cni']>;

/** How a Deployment is replaced, or a DaemonSet. */
type WorkloadStrategy = GatewaySettings['strategy'] | DaemonSetSettings['strategy'];

/** The settings of one workload and where they are. */
export interface WorkloadView {
  readonly path: string;
  /** Name of its Deployment; undefined when the spec does not say it. */
  readonly deployment: string | undefined;
  /** `service` is there for istiod and gateways only, scaling not for DaemonSets. */
  readonly settings: Draft<Omit<GatewaySettings, 'strategy'> & { strategy?: WorkloadStrategy | undefined }>;
}

export function gatewaysOf({ spec }: SpecView): readonly GatewayView[] {
  return gatewayKinds.flatMap((kind) => {
    const gateways: readonly (GatewayDraft | undefined)[] = spec.components?.[kind.list] ?? [];
    return gateways.flatMap((gateway, index) =>
      gateway === undefined ? [] : [{ path: `spec.components.${kind.list}[${index}]`, kind, gateway }],
    );
  });
}

export function workloadsOf(view: SpecView): readonly WorkloadView[] {
  const suffix = revisionSuffix(view.spec.revision ?? '');
  const places: readonly (Omit<WorkloadView, 'settings'> & {
    settings: WorkloadView['settings'] | undefined;
  })[] = [
    {
      path: 'spec.components.pilot.k8s',
      deployment: `istiod${suffix}`,
      settings: view.spec.components?.pilot?.k8s,
    },
    { path: 'spec.components.cni.k8s', deployment: undefined, settings: view.spec.components?.cni?.k8s },
    {
      path: 'spec.components.ztunnel.k8s',
      deployment: undefined,
      settings: view.spec.components?.ztunnel?.k8s,
    },
    ...gatewaysOf(view).map(({ path, gateway }) => ({
      path: `${path}.k8s`,
      deployment: gateway.name,
      settings: gateway.k8s,
    })),
    {
      path: 'spec.sidecarInjector.k8s',
      deployment: `sidecar-injector${suffix}`,
      settings: view.spec.sidecarInjector?.k8s,
    },
  ];
  return places.flatMap(({ settings, ...place }) => (settings === undefined ? [] : [{ ...place, settings }]));
}

/** Values of a component that has a pod on every node, and where they are. */
export interface NodeValuesView {
  readonly path: string;
  readonly values: Draft<Pick<CniValues, 'podAnnotations' | 'env' | 'resources' | 'updateStrategy'>>;
  /** Labels of its pods and of other objects of it. */
  readonly labels: readonly { readonly path: string; readonly map: Draft<CniValues['podLabels']> }[];
  /** The label of its selector. */
  readonly selector: RegExp;
}

export function nodeValuesOf({ spec }: SpecView): readonly NodeValuesView[] {
  const { cni, ztunnel } = spec.values ?? {};
  const at = (name: string) => `spec.values.${name}`;
  const ofCni =
    cni === undefined
      ? []
      : [
          {
            path: at('cni'),
            values: cni,
            own: 'daemonSetLabels',
            map: cni.daemonSetLabels,
            selector: /^k8s-app$/,
          },
        ];
  const ofZtunnel =
    ztunnel === undefined
      ? []
      : [{ path: at('ztunnel'), values: ztunnel, own: 'labels', map: ztunnel.labels, selector: /^app$/ }];
  return [...ofCni, ...ofZtunnel].map(({ path, values, own, map, selector }) => ({
    path,
    values,
    labels: [
      { path: `${path}.podLabels`, map: values.podLabels },
      { path: `${path}.${own}`, map },
    ],
    selector,
  }));
}

/** The MeshConfigs of a spec and where they are; the last one wins. */
export function meshConfigsOf({
  spec,
}: SpecView): { readonly at: string; readonly config: Record<string, unknown> }[] {
  return [
    { at: 'spec.meshConfig', config: spec.meshConfig },
    { at: 'spec.values.meshConfig', config: spec.values?.meshConfig },
  ].flatMap(({ at, config }) => (isRecord(config) ? [{ at, config }] : []));
}

/** The namespace whose policies count for the whole mesh. */
export function rootNamespaceOf(view: SpecView): string {
  const named = meshConfigsOf(view).map(({ config }) => config.rootNamespace);
  return (named.findLast((name) => typeof name === 'string' && name !== '') as string) ?? view.namespace;
}

/** What is in a document at a path of names with dots; undefined where there is nothing. */
export function valueAt(document: unknown, field: string): unknown {
  return field
    .split('.')
    .reduce<unknown>((inner, key) => (isRecord(inner) ? inner[key] : undefined), document);
}
