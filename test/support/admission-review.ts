import type { Pod } from '../../src/injection/pod.ts';

/** The review of a pod's creation as an API server sends it. */
export function aReview(pod: unknown, request: Readonly<Record<string, unknown>> = {}): object {
  const metadata = (pod as Pod | null)?.metadata;
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: 'a2f6a5d0-9c7f-4a53-9d3c-6f3a1a0a3f10',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      requestKind: { group: '', version: 'v1', kind: 'Pod' },
      requestResource: { group: '', version: 'v1', resource: 'pods' },
      ...(metadata?.name === undefined ? {} : { name: metadata.name }),
      namespace: metadata?.namespace ?? 'apps',
      operation: 'CREATE',
      userInfo: { username: 'system:serviceaccount:kube-system:replicaset-controller', groups: [] },
      object: pod,
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
      ...request,
    },
  };
}
