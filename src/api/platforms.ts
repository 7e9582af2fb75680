import type { JsonObject } from './resolved-mesh.ts';

export const platformNames = ['gke', 'k3d', 'k3s', 'microk8s', 'minikube', 'openshift'] as const;

export type PlatformName = (typeof platformNames)[number];

/** Values by which Istio suits a platform, as the files `profile-platform-*` of its charts have them. */
export const platformValues: Readonly<Record<PlatformName, JsonObject>> = {
  gke: {
    cni: { cniBinDir: '/home/kubernetes/bin', resourceQuotas: { enabled: true } },
    ztunnel: { resourceQuotas: { enabled: true } },
  },
  k3d: {
    cni: { cniConfDir: '/var/lib/rancher/k3s/agent/etc/cni/net.d', cniBinDir: '/bin' },
  },
  k3s: {
    cni: {
      cniConfDir: '/var/lib/rancher/k3s/agent/etc/cni/net.d',
      cniBinDir: '/var/lib/rancher/k3s/data/cni',
    },
  },
  microk8s: {
    cni: {
      cniConfDir: '/var/snap/microk8s/current/args/cni-network',
      cniBinDir: '/var/snap/microk8s/current/opt/cni/bin',
    },
  },
  minikube: { cni: { cniNetnsDir: '/var/run/docker/netns' } },
  openshift: {
    cni: {
      cniBinDir: '/var/lib/cni/bin',
      cniConfDir: '/etc/cni/multus/net.d',
      cniConfFileName: 'istio-cni.conf',
      chained: false,
      provider: 'multus',
      seLinuxOptions: { type: 'spc_t' },
    },
    ztunnel: { seLinuxOptions: { type: 'spc_t' } },
    pilot: { cni: { enabled: true } },
  },
};
