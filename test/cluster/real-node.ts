import { mkdir, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeName } from './certificates.ts';
import type { ClusterPlan } from './cluster-plan.ts';
import { controlGroupName } from './control-group.ts';
import { kubeconfigFile } from './control-plane.ts';
import type { SupervisedProcess } from './supervised-process.ts';

const containerdSocket = '/run/containerd.sock'; // in the cluster's own /run
const overlayMagic = 0x794c7630;

/** Writes the configuration files of containerd, its network plugins and kubelet. */
export async function writeNodeFiles(
  name: string,
  rundir: string,
  plan: ClusterPlan,
  pauseReference: string,
): Promise<void> {
  await mkdir(join(rundir, 'cni-net.d'), { recursive: true });
  await Promise.all([
    writeFile(
      join(rundir, 'containerd.toml'),
      containerdConfig(rundir, pauseReference, await snapshotter(rundir)),
    ),
    writeFile(join(rundir, 'cni-net.d', '10-pods.conflist'), JSON.stringify(podNetwork(plan), undefined, 2)),
    writeFile(join(rundir, 'kubelet.json'), JSON.stringify(kubeletConfig(name, rundir, plan), undefined, 2)),
    writeFile(join(rundir, 'resolv.conf'), ''), // pods ask CoreDNS; what it does not know, nobody knows
  ]);
}

/** The container runtime. */
export function containerd(rundir: string): SupervisedProcess {
  return {
    name: 'containerd',
    program: 'containerd',
    args: ['--config', join(rundir, 'containerd.toml'), '--log-level', 'info'],
  };
}

/** The flags of `ctr` that reach the node's containerd and the images that kubelet sees. */
export const ctr: readonly string[] = ['ctr', '--address', containerdSocket, '--namespace', 'k8s.io'];

/** The node's agent. */
export function kubelet(rundir: string, plan: ClusterPlan, program: string): SupervisedProcess {
  return {
    name: 'kubelet',
    program,
    args: [
      `--config=${join(rundir, 'kubelet.json')}`,
      `--kubeconfig=${kubeconfigFile(rundir, 'kubelet')}`,
      `--hostname-override=${nodeName}`,
      `--root-dir=${join(rundir, 'kubelet')}`,
      `--node-ip=${plan.nodeAddress}`,
    ],
  };
}

/** What makes Service addresses work; in nftables mode it has one table of its own. */
export function kubeProxy(rundir: string, plan: ClusterPlan, program: string): SupervisedProcess {
  return {
    name: 'kube-proxy',
    program,
    args: [
      `--kubeconfig=${kubeconfigFile(rundir, 'kube-proxy')}`,
      '--proxy-mode=nftables',
      `--hostname-override=${nodeName}`,
      `--cluster-cidr=${plan.podCidr}`,
      `--bind-address=${plan.nodeAddress}`,
      // Only the host's own network namespace may change these.
      '--conntrack-max-per-core=0',
      '--conntrack-tcp-timeout-established=0',
      '--conntrack-tcp-timeout-close-wait=0',
    ],
    // Its first pass trusts an endpoint's chain that exists, even one that its predecessor had emptied to delete it
    // (kubernetes 1.35, proxier.go, epChainSkipUpdate): that endpoint would never be reached again.
    prepare: 'for family in ip ip6; do nft delete table $family kube-proxy 2>/dev/null; done',
  };
}

function containerdConfig(rundir: string, pauseReference: string, snapshots: string): string {
  return `version = 2
root = "${join(rundir, 'containerd')}"
state = "/run/containerd-state"

[grpc]
  address = "${containerdSocket}"

[plugins."io.containerd.internal.v1.opt"]
  path = "${join(rundir, 'opt')}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseReference}"
  restrict_oom_score_adj = true # root without CAP_SYS_RESOURCE may not lower it

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "${snapshots}"

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${join(rundir, 'cni-net.d')}"
`;
}

/** overlayfs cannot lie on overlayfs, as in a container. */
async function snapshotter(rundir: string): Promise<string> {
  return (await statfs(rundir)).type === overlayMagic ? 'native' : 'overlayfs';
}

function podNetwork(plan: ClusterPlan): Record<string, unknown> {
  return {
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      {
        type: 'ptp', // every packet between pods is routed, so that policies see all of it
        ipMasq: false,
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: plan.nodePodCidr }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true }, snat: true },
    ],
  };
}

function kubeletConfig(name: string, rundir: string, plan: ClusterPlan): Record<string, unknown> {
  const pki = (file: string) => join(rundir, 'pki', file);
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    failCgroupV1: false,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${controlGroupName(name)}`,
    cgroupsPerQOS: true,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: pki('ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: pki('kubelet-serving.crt'),
    tlsPrivateKeyFile: pki('kubelet-serving.key'),
    clusterDomain: 'cluster.local',
    clusterDNS: [plan.dnsAddress],
    resolvConf: join(rundir, 'resolv.conf'),
    // The node's disk is the developer's: it is not this cluster's to guard.
    evictionHard: { 'imagefs.available': '0%', 'nodefs.available': '0%', 'nodefs.inodesFree': '0%' },
    localStorageCapacityIsolation: false,
    imageGCHighThresholdPercent: 100,
    kubeAPIQPS: 200,
    kubeAPIBurst: 400,
    serializeImagePulls: false,
    maxPods: 200,
  };
}
