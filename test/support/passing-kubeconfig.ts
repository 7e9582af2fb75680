import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildCertificate, serialOf } from '../../src/pki/certificate-builder.ts';
import { generateKeyPair, keyPairOf, privateKeyPem } from '../../src/pki/key-pair.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { kubeconfigAs } from './kubeconfig-as.ts';

/** A kubeconfig of a cluster's admin whose certificate ends then. */
export async function kubeconfigUntil(cluster: Cluster, notAfter: Date): Promise<string> {
  const pki = join(cluster.rundir, 'pki');
  const [certPem, keyPem] = await Promise.all(
    ['ca.crt', 'ca.key'].map((file) => readFile(join(pki, file), 'utf8')),
  );
  const keys = await generateKeyPair('ECDSA-P256');
  const certificate = buildCertificate(
    {
      ...{ commonName: 'passing-admin', organization: 'system:masters' },
      ...{ serial: serialOf(randomBytes(16)), notBefore: new Date(notAfter.getTime() - 3_600_000), notAfter },
      extensions: [
        { name: 'keyUsage', critical: true, digitalSignature: true },
        { name: 'extKeyUsage', clientAuth: true },
      ],
    },
    keys,
    { certPem: certPem ?? '', keys: keyPairOf(keyPem ?? '') },
  );
  return kubeconfigAs(cluster, {
    'client-certificate-data': Buffer.from(certificate).toString('base64'),
    'client-key-data': Buffer.from(privateKeyPem(keys)).toString('base64'),
  });
}
