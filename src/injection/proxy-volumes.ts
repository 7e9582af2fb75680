import type { JsonObject } from '../api/resolved-mesh.ts';
import { isRecord } from '../base/stable-json.ts';
import { names } from './annotation-names.ts';
import { parseJsonAnnotation } from './bounded-document.ts';
import type { InjectionFacts } from './injection-facts.ts';
import { annotationOf } from './pod.ts';
import { PodRejectedError } from './pod-rejected-error.ts';
import type { ProxyFlavour } from './proxy-environment.ts';

/** A volume of the proxy and where it is mounted, with the condition under which it is there. */
interface ProxyVolume {
  readonly name: string;
  readonly isThere: boolean;
  /** Undefined: the API server makes it an emptyDir, unless another template says what it is. */
  readonly source?: JsonObject;
  /** Undefined: not mounted into the proxy. */
  readonly mountPath?: string | undefined;
  readonly readOnly?: boolean;
}

/** The volumes of the pod that the proxy needs, the author's among them. */
export function proxyVolumes(facts: InjectionFacts, flavour: ProxyFlavour): JsonObject[] {
  const ours = volumesOf(facts, flavour)
    .filter(({ isThere }) => isThere)
    .map(({ name, source }) => ({ name, ...source }));
  return [...ours, ...(flavour === 'gateway' ? [] : usersVolumes(facts, names.userVolume))];
}

/** The mounts of the proxy's container. Without a status port a gRPC agent has only those of the author. */
export function proxyMounts(facts: InjectionFacts, flavour: ProxyFlavour): JsonObject[] {
  const ours = volumesOf(facts, flavour).flatMap(({ name, isThere, mountPath, readOnly }) =>
    isThere && mountPath !== undefined
      ? [{ name, mountPath, ...(readOnly === true ? { readOnly } : {}) }]
      : [],
  );
  return [...ours, ...(flavour === 'gateway' ? [] : usersVolumes(facts, names.userVolumeMount))];
}

/** What an application that speaks xDS itself shares with the agent. */
export function grpcAppMounts(facts: InjectionFacts): JsonObject[] {
  const shared = ['/var/lib/istio/data', '/etc/istio/proxy', '/var/run/secrets/workload-spiffe-credentials'];
  return proxyMounts(facts, 'grpc-agent').filter(({ mountPath }) => shared.includes(String(mountPath)));
}

function volumesOf(facts: InjectionFacts, flavour: ProxyFlavour): ProxyVolume[] {
  const { injection } = facts.mesh;
  const isIstiodProvider = injection.pilotCertProvider === 'istiod';
  const isGke = injection.caName === 'GkeWorkloadCertificate';
  const bootstrap = annotationOf(facts.pod, names.bootstrapOverride);
  const certificates = '/var/run/secrets/workload-spiffe-credentials';
  return [
    workloadSocket(facts, flavour),
    {
      name: 'credential-socket',
      isThere: flavour !== 'grpc-agent',
      ...(flavour === 'gateway' ? { source: { emptyDir: {} } } : {}),
      mountPath: '/var/run/secrets/credential-uds',
    },
    {
      name: 'gke-workload-certificate',
      isThere: isGke,
      source: { csi: { driver: 'workloadcertificates.security.cloud.google.com' } },
      mountPath: certificates,
      readOnly: true,
    },
    {
      name: 'workload-certs',
      isThere: !isGke,
      ...(flavour === 'gateway' ? { source: { emptyDir: {} } } : {}),
      mountPath: certificates,
    },
    {
      name: 'custom-bootstrap-volume',
      isThere: bootstrap !== undefined,
      source: { configMap: { name: bootstrap ?? '' } },
      mountPath: flavour === 'grpc-agent' ? undefined : '/etc/istio/custom-bootstrap',
    },
    {
      name: flavour === 'grpc-agent' ? 'istio-xds' : 'istio-envoy',
      isThere: true,
      source: { emptyDir: { medium: 'Memory' } },
      mountPath: '/etc/istio/proxy',
    },
    { name: 'istio-data', isThere: true, source: { emptyDir: {} }, mountPath: '/var/lib/istio/data' },
    { name: 'istio-podinfo', isThere: true, source: podInfo, mountPath: '/etc/istio/pod' },
    {
      name: 'istio-token',
      isThere: true,
      source: tokenSource(injection.tokenAudience),
      mountPath: '/var/run/secrets/tokens',
    },
    {
      name: 'istiod-ca-cert',
      isThere: isIstiodProvider,
      source: trustSource(facts),
      mountPath: '/var/run/secrets/istio',
    },
    {
      name: 'istio-ca-crl',
      isThere: flavour === 'sidecar',
      source: { configMap: { name: injection.crlConfigMapName, optional: true } },
      mountPath: isIstiodProvider ? '/var/run/secrets/istio/crl' : undefined,
    },
    {
      name: 'istio-certs',
      isThere: injection.mountMtlsCerts,
      source: {
        secret: { optional: true, secretName: `istio.${facts.pod.spec.serviceAccountName || 'default'}` },
      },
      mountPath: '/etc/certs/',
      readOnly: true,
    },
  ];
}

/**
 * Where the agent looks for somebody else who hands out certificates (Istio pkg/istio-agent/agent.go, `checkSocket`). An
 * application that speaks gRPC itself cannot be served so: it reads files that only Istio's own authority fills.
 */
function workloadSocket({ mesh }: InjectionFacts, flavour: ProxyFlavour): ProxyVolume {
  const socket = {
    name: 'workload-socket',
    isThere: true,
    mountPath: '/var/run/secrets/workload-spiffe-uds',
  };
  const { spire } = mesh.authority;
  if (spire === undefined || flavour === 'grpc-agent') return socket;
  // Whatever an earlier injection or the author has made of the volume is not the socket of SPIRE.
  const source = { $patch: 'replace', csi: { driver: spire.csiDriver, readOnly: true } };
  return { ...socket, source, readOnly: true };
}

const podInfo: JsonObject = {
  downwardAPI: {
    items: ['labels', 'annotations'].map((path) => ({ path, fieldRef: { fieldPath: `metadata.${path}` } })),
  },
};

function tokenSource(audience: string): JsonObject {
  const serviceAccountToken = { path: 'istio-token', expirationSeconds: 43_200, audience };
  return { projected: { sources: [{ serviceAccountToken }] } };
}

function trustSource({ mesh }: InjectionFacts): JsonObject {
  const { clusterTrustBundle, trustBundleName } = mesh.injection;
  if (!clusterTrustBundle) return { configMap: { name: trustBundleName || 'istio-ca-root-cert' } };
  const name = `istio.io:istiod-ca:${trustBundleName || 'root-cert'}`;
  return { projected: { sources: [{ clusterTrustBundle: { name, path: 'root-cert.pem' } }] } };
}

/** An object by name, as Istio reads it, or a list of objects with names, as Istio's documentation has it. */
function usersVolumes({ pod }: InjectionFacts, annotation: string): JsonObject[] {
  const text = annotationOf(pod, annotation);
  if (text === undefined) return [];
  const value = parseJsonAnnotation(annotation, text);
  const items = Array.isArray(value)
    ? value
    : Object.entries(value).map(([name, spec]) => (isRecord(spec) ? { name, ...spec } : spec));
  if (items.every((item) => isRecord(item) && typeof item.name === 'string')) return items as JsonObject[];
  throw new PodRejectedError(`Annotation ${annotation} must be a JSON object from name to specification`);
}
