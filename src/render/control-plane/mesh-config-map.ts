import { dump } from 'js-yaml';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { type JsonObject, type ResolvedMesh, revisionLabel } from '../../api/resolved-mesh.ts';
import { objectMetadata } from '../object-metadata.ts';
import type { RenderContext } from '../render-context.ts';
import { renderObject } from '../template-engine.ts';
import { meshConfigMapName } from './names.ts';

/** The mesh configuration that istiod reads by name, and follows while it runs. */
export function renderMeshConfigMap(mesh: ResolvedMesh, context: RenderContext): KubernetesObject {
  return renderObject('control-plane/20-config-map', {
    metadata: objectMetadata(mesh, context, {
      name: meshConfigMapName(mesh),
      namespace: mesh.namespace,
      component: 'istiod',
      labels: { 'istio.io/rev': revisionLabel(mesh.revision) },
    }),
    mesh: yamlDocument(mesh.meshConfig),
    meshNetworks: yamlDocument(mesh.meshNetworks),
  });
}

/** Block YAML with sorted keys: equal documents give equal text, whatever order a user wrote them in. */
function yamlDocument(document: JsonObject): string {
  return dump(document, { sortKeys: true, noRefs: true, lineWidth: -1 });
}
