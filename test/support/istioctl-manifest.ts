import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import type { JsonObject } from '../../src/api/resolved-mesh.ts';
import { run } from '../cluster/toolchain/run-command.ts';
import { ensureTool } from '../cluster/toolchain/tools.ts';
import { parseManifests, type UpstreamCharts } from './upstream-charts.ts';

/** What `istioctl manifest generate` makes of an IstioOperator with the profiles and charts of a minor, without CRDs. */
export async function istioctlManifest(
  charts: UpstreamCharts,
  spec: JsonObject,
): Promise<KubernetesObject[]> {
  const istioOperator = {
    apiVersion: 'install.istio.io/v1alpha1',
    kind: 'IstioOperator',
    metadata: { name: 'mesh', namespace: 'istio-system' },
    spec,
  };
  const text = await run(
    await ensureTool('istioctl'),
    ['manifest', 'generate', '--manifests', `${charts.folder}/manifests`, '--filename', '-'],
    { input: JSON.stringify(istioOperator) },
  );
  return parseManifests(text).filter(({ kind }) => kind !== 'CustomResourceDefinition');
}
