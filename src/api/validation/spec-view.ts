import type { MeshOperatorSpec } from '../mesh-operator-spec.ts';
import type { GatewaySettings } from '../spec/kubernetes-settings.ts';
import type { Draft } from './schema-problems.ts';

/** What checks look at: the parts of a spec whose shape is right. */
export interface SpecView {
  readonly namespace: string;
  readonly spec: Draft<MeshOperatorSpec>;
}

export type GatewayDraft = Draft<
  NonNullable<NonNullable<MeshOperatorSpec['components']>['ingressGateways']>[number]
>;

/** The settings of one workload and where they are. */
export interface WorkloadView {
  readonly path: string;
  /** `service` is there for gateways only. */
  readonly settings: Draft<GatewaySettings>;
}

export function gatewaysOf(
  view: SpecView,
): readonly { readonly path: string; readonly gateway: GatewayDraft }[] {
  return (view.spec.components?.ingressGateways ?? []).flatMap((gateway, index) =>
    gateway === undefined ? [] : [{ path: `spec.components.ingressGateways[${index}]`, gateway }],
  );
}

export function workloadsOf(view: SpecView): readonly WorkloadView[] {
  const places = [
    { path: 'spec.components.pilot.k8s', settings: view.spec.components?.pilot?.k8s },
    ...gatewaysOf(view).map(({ path, gateway }) => ({ path: `${path}.k8s`, settings: gateway.k8s })),
    { path: 'spec.sidecarInjector.k8s', settings: view.spec.sidecarInjector?.k8s },
  ];
  return places.flatMap(({ path, settings }) => (settings === undefined ? [] : [{ path, settings }]));
}
