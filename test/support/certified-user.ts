import { join } from 'node:path';
import { type Identity, issueClientCertificate } from '../cluster/certificates.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { writeKubeconfig } from '../cluster/kubeconfig.ts';
import { run } from '../cluster/toolchain/run-command.ts';
import { ensureTool } from '../cluster/toolchain/tools.ts';

/** A person whose client certificate says who it is, as the API server asks people; ends with the cluster. */
export class CertifiedUser {
  readonly #kubeconfig: string;

  private constructor(kubeconfig: string) {
    this.#kubeconfig = kubeconfig;
  }

  /** `organization` is the person's group. */
  static async create(cluster: Cluster, identity: Identity): Promise<CertifiedUser> {
    const pkiFolder = join(cluster.rundir, 'pki');
    const client = identity.commonName;
    await issueClientCertificate(pkiFolder, client, identity);
    const kubeconfig = join(cluster.rundir, `kubeconfig-${client}`);
    await writeKubeconfig(kubeconfig, {
      ...{ cluster: cluster.name, server: cluster.apiServerUrl },
      ...{ pkiFolder, client },
    });
    return new CertifiedUser(kubeconfig);
  }

  /** What kubectl prints for this person; rejects with its complaint. */
  async kubectl(args: readonly string[], input = ''): Promise<string> {
    return run(await ensureTool('kubectl'), ['--kubeconfig', this.#kubeconfig, ...args], { input });
  }
}
