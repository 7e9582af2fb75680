import { type AnyGateway, type GatewayKind, gatewayKinds } from '../gateway-kinds.ts';
import type { MeshOperatorSpec } from '../mesh-operator-spec.ts';
import { revisionSuffix } from '../resolved-mesh.ts';
import type { GatewaySettings } from '../spec/kubernetes-settings.ts';
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

/** The settings of one workload and where they are. */
export interface WorkloadView {
  readonly path: string;
  /** Name of its Deployment; undefined when the spec does not say it. */
  readonly deployment: string | undefined;
  /** `service` is there for istiod and gateways only. */
  readonly settings: Draft<GatewaySettings>;
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
  const places = [
    {
      path: 'spec.components.pilot.k8s',
      deployment: `istiod${suffix}`,
      settings: view.spec.components?.pilot?.k8s,
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
