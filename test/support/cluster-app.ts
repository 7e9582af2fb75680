import { dump } from 'js-yaml';
import type { Cluster } from '../cluster/cluster.ts';
import { ensureImage } from '../cluster/images/ensure-image.ts';

/** Imports the test app's image and runs one pod of it behind a Service of the same name, port 80; returns when it is ready. */
export async function runTestApp(cluster: Cluster, name: string, namespace = 'default'): Promise<void> {
  const image = await ensureImage('test-app');
  await cluster.importImage(image);
  const labels = { app: name };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: 'app',
              image: image.reference,
              imagePullPolicy: 'IfNotPresent',
              args: ['serve', '-name', `${name} of ${cluster.name}`],
              ports: [{ containerPort: 8080 }],
              readinessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  };
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { type: 'NodePort', selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
  };
  await cluster.apply([deployment, service].map((object) => dump(object)).join('---\n'));
  await cluster.kubectl('rollout', 'status', '-n', namespace, `deployment/${name}`, '--timeout=240s');
}
