import { chmod, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kindInfo } from '../../src/api/kinds.ts';
import { idOf, type KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { meshNamespaceLabel } from '../../src/api/labels.ts';
import { systemClock } from '../../src/base/clock.ts';
import { cacertsName } from '../../src/controllers/trust/cacerts-secret.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { secretTexts } from '../../src/kube/secret-data.ts';
import { createLogger } from '../../src/observability/logger.ts';
import { factsOf, splitCertificates } from '../../src/pki/certificate-facts.ts';
import { generateKeyPair, type KeyPair, keyPairOf } from '../../src/pki/key-pair.ts';
import { Informer } from '../../src/runtime/informer.ts';
import { issueLeaf } from '../support/authorities.ts';
import { never } from './cluster-view.ts';

/** What is asked of a proxy and of an istiod, and the file that holds the answer. */
const answers = { 'pilot-agent': 'config-dump.json', 'pilot-discovery': 'metrics.txt' } as const;
const fieldManager = 'simulated-istiod';
const webhookKind = kindInfo('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration');

export interface SimulatedMeshOptions {
  /** The cluster's admin. */
  readonly client: KubeClient;
  /** The control plane's, and that of all proxies. */
  readonly namespace: string;
  /** Where the cluster looks for what commands in pods run. */
  readonly execFolder: string;
}

/**
 * The istiods of a namespace and all of their proxies where no container runs: they take up each bundle in `cacerts` as
 * soon as it is there, and tell of it in the words of the real ones. All proxies answer the same.
 */
export class SimulatedMesh {
  readonly #options: SimulatedMeshOptions;
  readonly #leafKeys: KeyPair;
  readonly #stop = new AbortController();
  readonly #watching: Promise<void>;
  #following: Promise<void> = Promise.resolve();

  private constructor(options: SimulatedMeshOptions, leafKeys: KeyPair) {
    this.#options = options;
    this.#leafKeys = leafKeys;
    const { client, namespace } = options;
    const log = createLogger('error', process.stderr);
    const secrets = new Informer(
      { kind: kindInfo('v1', 'Secret'), namespace, fieldSelector: `metadata.name=${cacertsName}` },
      { client, clock: systemClock, log, random: Math.random },
    );
    secrets.addHandler(({ current }) => {
      if (current !== undefined) this.#following = this.#following.then(() => this.#follow(current));
    });
    this.#watching = secrets.run(this.#stop.signal);
  }

  /** Follows whatever there is already, too. */
  static async start(options: SimulatedMeshOptions): Promise<SimulatedMesh> {
    for (const [program, answer] of Object.entries(answers)) {
      const path = join(options.execFolder, program);
      await writeFile(path, `#!/bin/sh\nexec cat ${answer}\n`);
      await chmod(path, 0o755);
    }
    return new SimulatedMesh(options, await generateKeyPair('ECDSA-P256'));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
    await this.#following;
  }

  /** The istiods say last that they have loaded it, so that nobody is asked who has not heard of it. */
  async #follow(cacerts: KubernetesObject): Promise<void> {
    const {
      'ca-cert.pem': signer = '',
      'ca-key.pem': signerKey = '',
      'cert-chain.pem': chain = '',
      'root-cert.pem': roots = '',
    } = secretTexts(cacerts);
    const leaf = issueLeaf({ certPem: signer, keys: keyPairOf(signerKey) }, this.#leafKeys);
    await this.#answer('pilot-agent', configDump(leaf + chain, roots));
    await this.#publish(roots);
    await this.#answer('pilot-discovery', metrics(roots, chain));
  }

  /** As istiod does: in the root ConfigMap and in its webhook. */
  async #publish(roots: string): Promise<void> {
    const { client, namespace } = this.#options;
    const metadata = { name: 'istio-ca-root-cert', namespace };
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'root-cert.pem': roots } };
    await client.apply(configMap, { fieldManager }, never);
    const labelSelector = `${meshNamespaceLabel}=${namespace}`;
    const { items } = await client.list(webhookKind, { labelSelector }, never);
    const caBundle = Buffer.from(roots).toString('base64');
    for (const configuration of items) {
      const webhooks = Array.isArray(configuration.webhooks) ? configuration.webhooks : [];
      const operations = webhooks.map((_, at) => {
        return { op: 'add' as const, path: `/webhooks/${at}/clientConfig/caBundle`, value: caBundle };
      });
      await client.patch(idOf(configuration), { type: 'json', operations }, { fieldManager }, never);
    }
  }

  /** Whoever is asked meanwhile gives the old answer or the new one, never half of one. */
  async #answer(program: keyof typeof answers, text: string): Promise<void> {
    const path = join(this.#options.execFolder, answers[program]);
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  }
}

/** The secrets of an Envoy, as `/config_dump?resource=dynamic_active_secrets` shows them. */
function configDump(chain: string, roots: string): string {
  const inline = (text: string) => ({ inline_bytes: Buffer.from(text).toString('base64') });
  const secrets = {
    default: { tls_certificate: { certificate_chain: inline(chain), private_key: inline('[redacted]') } },
    ROOTCA: { validation_context: { trusted_ca: inline(roots) } },
  };
  const configs = Object.entries(secrets).map(([name, secret]) => ({
    '@type': 'type.googleapis.com/envoy.admin.v3.SecretsConfigDump.DynamicSecret',
    ...{ name, last_updated: new Date().toISOString(), secret: { name, ...secret } },
  }));
  return JSON.stringify({ configs }, undefined, 1);
}

/** What istiod's metrics say of the bundle that it has loaded. */
function metrics(roots: string, chain: string): string {
  const endOf = (pem: string) => {
    const [first = ''] = splitCertificates(pem);
    return Math.floor(factsOf(first).notAfter.getTime() / 1000);
  };
  return [
    '# TYPE citadel_server_cert_chain_expiry_timestamp gauge',
    `citadel_server_cert_chain_expiry_timestamp ${endOf(chain)}`,
    '# TYPE citadel_server_root_cert_expiry_timestamp gauge',
    `citadel_server_root_cert_expiry_timestamp ${endOf(roots)}`,
    '',
  ].join('\n');
}
