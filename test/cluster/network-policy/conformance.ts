/**
 * Runs Kubernetes' own NetworkPolicy specs against our enforcer, on a cluster with a real node that it starts and
 * removes; takes about 20 minutes and exits with 1 when a spec fails:
 *
 *   node test/cluster/network-policy/conformance.ts [flags of Kubernetes' e2e tests, such as -ginkgo.focus=...]
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { startCluster } from '../cluster.ts';
import { ensureArchive, type ImageArchive } from '../images/image-cache.ts';
import { copiedFile } from '../images/layer.ts';
import { cacheKey, ensureCached } from '../toolchain/cache-folder.ts';
import { ensureGo } from '../toolchain/go-compiler.ts';
import { toolsFolder } from '../toolchain/go-tool.ts';
import { printProgress, withProgress } from '../toolchain/progress.ts';
import { run } from '../toolchain/run-command.ts';

const sources = path.join(toolsFolder, 'conformance');
const sourceFiles = ['go.mod', 'go.sum', 'netpol_test.go', 'agnhost-reference/main.go'];

/** The node is not built for SCTP; the other two words mark specs that need hours or break the cluster. */
const defaultFlags = ['-ginkgo.focus=Netpol', '-ginkgo.skip=SCTP|Slow|Disruptive'];

const wanted = process.argv.slice(2);
const programs = await ensurePrograms();
const agnhost = await ensureAgnhostImage(programs);
const cluster = await startCluster({
  name: 'conformance',
  nodes: 'kubelet',
  audit: false,
  progress: printProgress,
});
try {
  await cluster.importImage(agnhost);
  process.exitCode = await runSpecs(cluster.kubeconfigPath, wanted.length > 0 ? wanted : defaultFlags);
} finally {
  await cluster.stop();
}

/** Folder with the programs `specs`, `agnhost` and `agnhost-reference`. */
async function ensurePrograms(): Promise<string> {
  const go = await ensureGo(printProgress);
  const texts = await Promise.all(sourceFiles.map((file) => readFile(path.join(sources, file))));
  return ensureCached('conformance', cacheKey(go.version, process.arch, ...texts), (folder) =>
    withProgress(printProgress, 'network policy specs of Kubernetes: go build', async () => {
      const env = { CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly', GOWORK: 'off' };
      const flags = ['-trimpath', '-ldflags=-s -w', '-o'];
      const build = (...args: string[]) => run(go.path, args, { cwd: sources, env });
      await build('test', '-c', ...flags, path.join(folder, 'specs'), '.');
      await build('build', ...flags, path.join(folder, 'agnhost'), 'k8s.io/kubernetes/test/images/agnhost');
      await build('build', ...flags, path.join(folder, 'agnhost-reference'), './agnhost-reference');
    }),
  );
}

/** The image that the pods of the specs run, under the name that they ask for. */
async function ensureAgnhostImage(folder: string): Promise<ImageArchive> {
  return ensureArchive('agnhost', {
    reference: (await run(path.join(folder, 'agnhost-reference'), [])).trim(),
    layers: [[copiedFile('/agnhost', path.join(folder, 'agnhost'))]],
    config: { user: '0:0', entrypoint: ['/agnhost'], env: {}, workingDir: '/', labels: {} },
  });
}

function runSpecs(kubeconfig: string, flags: readonly string[]): Promise<number> {
  const args = [
    '-kubeconfig',
    kubeconfig,
    '-provider',
    'skeleton',
    '-test.timeout=0',
    '-ginkgo.timeout=2h',
    ...flags,
  ];
  const specs = spawn(path.join(programs, 'specs'), args, { stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    specs.once('error', reject);
    specs.once('close', (code) => resolve(code === 0 ? 0 : 1));
  });
}
