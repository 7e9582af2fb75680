import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { load } from 'js-yaml';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { ensureGo } from '../cluster/toolchain/go-compiler.ts';
import { moduleFolder } from '../cluster/toolchain/go-module.ts';
import { toolsFolder } from '../cluster/toolchain/go-tool.ts';

const module = 'github.com/prometheus-operator/prometheus-operator';
const plurals = ['servicemonitors', 'podmonitors', 'prometheusrules'];

/** The CRDs of the Prometheus Operator whose kinds a mesh has, as that project publishes them. */
export async function prometheusOperatorCrds(): Promise<KubernetesObject[]> {
  const go = await ensureGo(() => {});
  const folder = await moduleFolder(go, join(toolsFolder, 'prometheus-operator'), module);
  return Promise.all(
    plurals.map(async (plural) => {
      const file = join(folder, 'example/prometheus-operator-crd', `monitoring.coreos.com_${plural}.yaml`);
      return load(await readFile(file, 'utf8')) as KubernetesObject;
    }),
  );
}
