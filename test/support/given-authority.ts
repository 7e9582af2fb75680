import type { Cluster } from '../cluster/cluster.ts';
import { openssl } from './openssl.ts';

/** A root and an intermediate that it has issued, made by openssl. */
export interface GivenAuthority {
  readonly rootPem: string;
  readonly intermediatePem: string;
  readonly intermediateKeyPem: string;
}

/** The intermediate of one authority, trusted beside the roots of others. */
export interface GivenBundle {
  readonly signer: GivenAuthority;
  /** In this order. */
  readonly roots: readonly GivenAuthority[];
}

/** An authority of its own with P-256 keys: an intermediate valid for a day, of a root that outlives it. */
export async function makeAuthority(name: string): Promise<GivenAuthority> {
  const rootKey = await makeKey();
  const intermediateKeyPem = await makeKey();
  const rootPem = await openssl(
    { 'root.key': rootKey },
    ...[
      'req',
      '-x509',
      '-new',
      '-key',
      'root.key',
      '-days',
      '2',
      '-subj',
      `/O=cluster.local/CN=${name} root`,
    ],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  );
  const request = await openssl(
    { 'own.key': intermediateKeyPem },
    ...['req', '-new', '-key', 'own.key', '-subj', `/O=cluster.local/CN=${name} intermediate`],
  );
  const extensions = 'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n';
  const intermediatePem = await openssl(
    { 'request.pem': request, 'root.pem': rootPem, 'root.key': rootKey, extensions },
    ...['x509', '-req', '-in', 'request.pem', '-CA', 'root.pem', '-CAkey', 'root.key', '-days', '1'],
    ...['-extfile', 'extensions', '-set_serial', '0x01'],
  );
  return { rootPem, intermediatePem, intermediateKeyPem };
}

/** Writes Secret `cacerts`, which istiod reads, and lets kubelet refresh it in the istiods that run. */
export async function giveToIstiod(
  cluster: Cluster,
  namespace: string,
  { signer, roots }: GivenBundle,
): Promise<void> {
  await cluster.apply(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'cacerts', namespace },
      stringData: {
        'ca-cert.pem': signer.intermediatePem,
        'ca-key.pem': signer.intermediateKeyPem,
        'cert-chain.pem': signer.intermediatePem,
        'root-cert.pem': roots.map(({ rootPem }) => rootPem).join(''),
      },
    }),
  );
  const mark = `test/refreshed=${process.hrtime.bigint()}`;
  await cluster.kubectl('annotate', 'pods', '-n', namespace, '-l', 'app=istiod', '--overwrite', mark);
}

function makeKey(): Promise<string> {
  return openssl({}, 'genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256');
}
