import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { ResolvedMesh, ResolvedOverlays } from '../../api/resolved-mesh.ts';
import { cniComponent } from '../cni/cni.ts';
import { readerComponent } from '../control-plane/access.ts';
import { defaultValidatorName } from '../control-plane/admission.ts';
import { injectorComponent } from '../injector/injector.ts';

type Target = Pick<ResolvedOverlays, 'component' | 'gateway'>;

/** What `app.kubernetes.io/name` says of the objects of a component; other components are called there as in the spec. */
const componentNames: Readonly<Record<string, string>> = {
  base: readerComponent,
  pilot: 'istiod',
  cni: cniComponent,
  sidecarInjector: injectorComponent,
};

/** Whether an object was rendered for a component, so that the overlays of that may change it. */
export function isOfComponent(mesh: ResolvedMesh, object: KubernetesObject, target: Target): boolean {
  const { name, namespace = mesh.namespace, labels } = object.metadata;
  if (name === defaultValidatorName) return target.component === 'base';
  const component = labels?.['app.kubernetes.io/name'];
  if (target.gateway !== undefined) {
    return component === target.gateway.name && namespace === target.gateway.namespace;
  }
  return component === (componentNames[target.component] ?? target.component);
}
