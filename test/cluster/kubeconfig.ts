import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dump } from 'js-yaml';

/** Whose kubeconfig, and of which server. */
export interface KubeconfigOptions {
  /** Name of cluster and context. */
  readonly cluster: string;
  readonly server: string;
  readonly pkiFolder: string;
  /** Whose certificate and key are in `pkiFolder`. */
  readonly client: string;
}

/** Writes a kubeconfig that holds its certificates itself, readable by its owner only. */
export async function writeKubeconfig(path: string, options: KubeconfigOptions): Promise<void> {
  const [ca, certificate, key] = await Promise.all(
    ['ca.crt', `${options.client}.crt`, `${options.client}.key`].map((file) =>
      readFile(join(options.pkiFolder, file), 'base64'),
    ),
  );
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': options.cluster,
    clusters: [
      { name: options.cluster, cluster: { server: options.server, 'certificate-authority-data': ca } },
    ],
    users: [
      { name: options.client, user: { 'client-certificate-data': certificate, 'client-key-data': key } },
    ],
    contexts: [{ name: options.cluster, context: { cluster: options.cluster, user: options.client } }],
  };
  await writeFile(path, dump(kubeconfig), { mode: 0o600 });
}
