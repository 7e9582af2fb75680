import type { Pod } from '../../src/injection/pod.ts';
import { injectScenarioNames, readInjectScenario } from '../golden/inject-scenario.ts';
import { aReview } from '../support/admission-review.ts';
import { asStored } from '../support/stored-pod.ts';

/** Reviews as an API server sends them, as text: of a Deployment's pod, and of the pod of every golden injection. */
export async function benchReviews(): Promise<Buffer[]> {
  const goldens: Pod[] = [];
  for (const name of await injectScenarioNames()) goldens.push((await readInjectScenario(name)).input.pod);
  return [deployedPod, ...goldens.map(asStored)].map((pod) => Buffer.from(JSON.stringify(aReview(pod))));
}

const apiAccess = 'kube-api-access-x7k2p';

/** With everything that controllers and the API server add before any webhook is asked. */
const deployedPod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    generateName: 'checkout-6f9c7d5b8-',
    namespace: 'shop',
    labels: { app: 'checkout', version: 'v2', 'pod-template-hash': '6f9c7d5b8' },
    annotations: { 'kubectl.kubernetes.io/restartedAt': '2026-01-05T09:30:00Z' },
    ownerReferences: [
      {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        name: 'checkout-6f9c7d5b8',
        uid: '5d0c5a38-6c55-4b0c-8a35-0f6b7ad0c7aa',
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
    managedFields: [
      {
        manager: 'kube-controller-manager',
        operation: 'Update',
        apiVersion: 'v1',
        time: '2026-01-05T09:30:01Z',
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': {
            'f:annotations': { '.': {}, 'f:kubectl.kubernetes.io/restartedAt': {} },
            'f:generateName': {},
            'f:labels': { '.': {}, 'f:app': {}, 'f:pod-template-hash': {}, 'f:version': {} },
            'f:ownerReferences': { '.': {}, 'k:{"uid":"5d0c5a38-6c55-4b0c-8a35-0f6b7ad0c7aa"}': {} },
          },
          'f:spec': {
            'f:containers': {
              'k:{"name":"checkout"}': {
                '.': {},
                'f:env': { '.': {}, 'k:{"name":"DATABASE_HOST"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
                'f:image': {},
                'f:imagePullPolicy': {},
                'f:livenessProbe': { '.': {}, 'f:httpGet': { '.': {}, 'f:path': {}, 'f:port': {} } },
                'f:name': {},
                'f:ports': { '.': {}, 'k:{"containerPort":8080,"protocol":"TCP"}': { '.': {} } },
                'f:readinessProbe': { '.': {}, 'f:httpGet': { '.': {}, 'f:path': {}, 'f:port': {} } },
                'f:resources': { '.': {}, 'f:limits': { '.': {}, 'f:memory': {} }, 'f:requests': {} },
              },
            },
            'f:dnsPolicy': {},
            'f:restartPolicy': {},
            'f:schedulerName': {},
            'f:securityContext': {},
            'f:terminationGracePeriodSeconds': {},
          },
        },
      },
    ],
  },
  spec: {
    volumes: [
      {
        name: apiAccess,
        projected: {
          sources: [
            { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
            { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
            {
              downwardAPI: {
                items: [
                  { path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } },
                ],
              },
            },
          ],
          defaultMode: 420,
        },
      },
    ],
    containers: [
      {
        name: 'checkout',
        image: 'registry.example.com/shop/checkout:2.4.1',
        ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
        env: [
          { name: 'DATABASE_HOST', value: 'postgres.shop.svc' },
          {
            name: 'DATABASE_PASSWORD',
            valueFrom: { secretKeyRef: { name: 'checkout-database', key: 'password' } },
          },
        ],
        resources: { limits: { memory: '512Mi' }, requests: { cpu: '100m', memory: '256Mi' } },
        volumeMounts: [
          { name: apiAccess, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
        ],
        livenessProbe: probe('/healthz'),
        readinessProbe: probe('/ready'),
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
        imagePullPolicy: 'IfNotPresent',
        securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: false },
      },
    ],
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    serviceAccountName: 'checkout',
    serviceAccount: 'checkout',
    securityContext: {},
    schedulerName: 'default-scheduler',
    tolerations: [
      {
        key: 'node.kubernetes.io/not-ready',
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 300,
      },
      {
        key: 'node.kubernetes.io/unreachable',
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 300,
      },
    ],
    priority: 0,
    enableServiceLinks: true,
    preemptionPolicy: 'PreemptLowerPriority',
  },
  status: {},
};

function probe(path: string) {
  return {
    httpGet: { path, port: 'http', scheme: 'HTTP' },
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  };
}
