import { mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadAll } from 'js-yaml';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import type { JsonObject } from '../../src/api/resolved-mesh.ts';
import { istioVersions } from '../../src/api/versions.ts';
import { ensureIstioSource } from '../cluster/toolchain/istio-source.ts';
import { run } from '../cluster/toolchain/run-command.ts';
import { ensureTool } from '../cluster/toolchain/tools.ts';

/** What `helm template` of one of Istio's own charts is asked for. */
export interface ChartOptions {
  /** Path below `manifests/charts` of Istio's repository, or a folder. */
  readonly chart: string;
  readonly release: string;
  readonly namespace: string;
  readonly values: JsonObject;
}

/** Istio's published Go module and the real helm, ready to render its charts. */
export interface UpstreamCharts {
  /** Where the files of the module are. */
  readonly folder: string;
  /** Runs `helm template` once and gives its text. */
  template(options: ChartOptions): Promise<string>;
  /**
   * Runs `helm install`, or `helm upgrade` where the release is there, and returns when Helm has written everything. What
   * is there already, such as Istio's CRDs, becomes the release's. Helm 3 applies on the client's side, Helm 4 on the server's.
   * Its field manager is the name of its process: `helm` unless another one is given.
   */
  install(
    options: ChartOptions,
    kubeconfig: string,
    applies: 'server-side' | 'client-side',
    processName?: string,
  ): Promise<void>;
  /** Runs a helm that does nothing: what its process needs to start. */
  start(): Promise<void>;
  /** The names of the files in a folder of the module, sorted. */
  listFolder(path: string): Promise<string[]>;
  /** The text of one file of the module. */
  readFile(path: string): Promise<string>;
}

/** Finds the source of an Istio minor (downloading it when needed) and helm; the newest minor unless another is named. */
export async function openUpstreamCharts(minor: string = istioVersions[0].minor): Promise<UpstreamCharts> {
  const [helm, folder] = [
    await ensureTool('helm'),
    await ensureIstioSource(minor, 'istio.io/istio', () => {}),
  ];
  return {
    folder,
    template: ({ chart, release, namespace, values }) =>
      run(helm, ['template', release, join(folder, 'manifests/charts', chart), '-n', namespace, '-f', '-'], {
        input: JSON.stringify(values),
      }),
    install: async ({ chart, release, namespace, values }, kubeconfig, applies, processName = 'helm') => {
      const folderOfChart = resolve(folder, 'manifests/charts', chart);
      const target = ['--kubeconfig', kubeconfig, '-n', namespace];
      const how =
        applies === 'server-side' ? ['--server-side=true', '--force-conflicts'] : ['--server-side=false'];
      const flags = ['--install', '--take-ownership', ...how, ...target, '-f', '-'];
      const links = await mkdtemp(join(tmpdir(), 'helm-'));
      await symlink(helm, join(links, processName));
      await run(join(links, processName), ['upgrade', release, folderOfChart, ...flags], {
        input: JSON.stringify(values),
      });
      await rm(links, { recursive: true });
    },
    start: async () => {
      await run(helm, ['version', '--short']);
    },
    listFolder: async (path) => (await readdir(join(folder, path))).sort(),
    readFile: (path) => readFile(join(folder, path), 'utf8'),
  };
}

/** The objects in the text that `helm template` prints. */
export function parseManifests(text: string): KubernetesObject[] {
  return loadAll(text).filter(
    (document) => document !== null && document !== undefined,
  ) as KubernetesObject[];
}
