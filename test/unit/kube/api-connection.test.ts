import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TerminalError } from '../../../src/base/errors.ts';
import { openConnection } from '../../../src/kube/api-connection.ts';
import { FakeClock } from '../../support/fake-clock.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'api-connection-'));
});

afterAll(() => rm(folder, { recursive: true }));

interface KubeconfigParts {
  readonly server?: string;
  readonly user?: object;
  readonly namespace?: string;
}

async function writeKubeconfig(name: string, parts: KubeconfigParts = {}): Promise<string> {
  const file = path.join(folder, name);
  const cluster = { server: parts.server ?? 'https://api.test:6443', 'insecure-skip-tls-verify': true };
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'main',
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user: parts.user ?? { token: 'first' } }],
    contexts: [{ name: 'main', context: { cluster: 'c', user: 'u', namespace: parts.namespace } }],
  };
  await writeFile(file, JSON.stringify(content));
  return file;
}

describe('a connection', () => {
  test('knows the address and the namespace of its context', async () => {
    const kubeconfig = await writeKubeconfig('address', {
      server: 'https://api.test:6443/k8s/',
      namespace: 'n',
    });

    const connection = openConnection({ kubeconfig }, new FakeClock());

    expect(connection.baseUrl).toBe('https://api.test:6443/k8s');
    expect(connection.namespace).toBe('n');
  });

  test.each([
    ['token', { token: 'secret' }, 'Bearer secret'],
    ['password', { username: 'a', password: 'b' }, `Basic ${Buffer.from('a:b').toString('base64')}`],
  ])('shows the %s of its user', async (name, user, authorization) => {
    const kubeconfig = await writeKubeconfig(name, { user });

    const { headers } = await openConnection({ kubeconfig }, new FakeClock()).grant();

    expect(headers).toEqual({ authorization });
  });

  test('uses one pool of connections for all requests, also after it has read its credentials again', async () => {
    const clock = new FakeClock();
    const connection = openConnection({ kubeconfig: await writeKubeconfig('pool') }, clock);
    const [first, second] = await Promise.all([connection.grant(), connection.grant()]);

    await clock.advance(11_000);
    const third = await connection.grant();

    expect(second).toBe(first);
    expect(third).not.toBe(first);
    expect(third.dispatcher).toBe(first.dispatcher);
  });

  test('shows the token that somebody has put into its kubeconfig since, and nothing of a file that is not whole', async () => {
    const clock = new FakeClock();
    const kubeconfig = await writeKubeconfig('replaced');
    const connection = openConnection({ kubeconfig }, clock);
    const shown = async () => {
      await clock.advance(11_000);
      return (await connection.grant()).headers.authorization;
    };
    const whole = await readFile(kubeconfig, 'utf8');

    expect(await shown()).toBe('Bearer first');
    await writeFile(kubeconfig, whole.slice(0, whole.length / 2));
    expect(await shown()).toBe('Bearer first');
    await rm(kubeconfig);
    expect(await shown()).toBe('Bearer first');
    await writeKubeconfig('replaced', { user: { token: 'second' } });
    expect(await shown()).toBe('Bearer second');
  });

  test('reads its credentials again, by an exec plugin, when the API server no longer takes them', async () => {
    const counter = path.join(folder, 'counter');
    await writeFile(counter, '');
    const script = `echo x >> ${counter}; printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"token-%s","expirationTimestamp":"2000-01-01T00:00:00Z"}}' $(wc -l < ${counter})`;
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args: ['-c', script] };
    const connection = openConnection(
      { kubeconfig: await writeKubeconfig('exec', { user: { exec } }) },
      new FakeClock(),
    );
    expect((await connection.grant()).headers).toEqual({ authorization: 'Bearer token-1' });
    expect((await connection.grant()).headers).toEqual({ authorization: 'Bearer token-1' });

    connection.forgetCredentials();

    expect((await connection.grant()).headers).toEqual({ authorization: 'Bearer token-2' });
  });

  test('cannot be opened with a kubeconfig that is not there', () => {
    const open = () => openConnection({ kubeconfig: path.join(folder, 'nothing') }, new FakeClock());

    expect(open).toThrow(TerminalError);
    expect(open).toThrow(`Cannot read the kubeconfig ${folder}/nothing: ENOENT`);
  });

  test('cannot be opened with a context that is not there', async () => {
    const kubeconfig = await writeKubeconfig('context');
    const open = () => openConnection({ kubeconfig, context: 'other' }, new FakeClock());

    expect(open).toThrow(TerminalError);
    expect(open).toThrow('The kubeconfig has no cluster for its context "other"; name one with --context');
  });
});
