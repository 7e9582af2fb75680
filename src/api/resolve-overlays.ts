import { isRecord } from '../base/stable-json.ts';
import type { MeshOperatorSpec } from './mesh-operator-spec.ts';
import type { ResolvedOverlay, ResolvedOverlays } from './resolved-mesh.ts';

/**
 * The overlays of every component that has any, with the place of each component in the spec: components by name, gateways
 * one by one.
 */
export function resolveOverlays(spec: MeshOperatorSpec, namespace: string): ResolvedOverlays[] {
  const components = Object.entries(spec.components ?? {}).flatMap(([name, component]) => {
    const path = `spec.components.${name}`;
    if (!Array.isArray(component)) return overlaysOf(path, component, { component: name });
    return (component as readonly Gateway[]).flatMap((gateway, index) =>
      overlaysOf(`${path}[${index}]`, gateway, {
        component: 'gateway',
        gateway: { name: gateway.name, namespace: gateway.namespace ?? namespace },
      }),
    );
  });
  return [
    ...components,
    ...overlaysOf('spec.sidecarInjector', spec.sidecarInjector, { component: 'sidecarInjector' }),
  ];
}

interface Gateway {
  readonly name: string;
  readonly namespace?: string | undefined;
}

function overlaysOf(
  path: string,
  component: unknown,
  target: Pick<ResolvedOverlays, 'component' | 'gateway'>,
): ResolvedOverlays[] {
  const settings = isRecord(component) && isRecord(component.k8s) ? component.k8s : {};
  const overlays = settings.overlays as readonly ResolvedOverlay[] | undefined;
  if (overlays === undefined || overlays.length === 0) return [];
  return [{ path: `${path}.k8s.overlays`, ...target, overlays }];
}
