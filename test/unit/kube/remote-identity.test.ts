import { dump } from 'js-yaml';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectRemote, readKubeconfig } from '../../../src/kube/remote-identity.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { type OutsideServer, startOutsideServer } from '../../support/outside-server.ts';
import { TestAuthority, type TestCertificate } from '../../support/serving-files.ts';
import { startTunnelProxy, type TunnelProtocol, tunnelProtocols } from '../../support/tunnel-proxy.ts';

const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const base64 = (text: string) => Buffer.from(text).toString('base64');

function aKubeconfig({
  cluster = {},
  user = { token: 'secret-token' },
  more = {},
}: Record<string, object> = {}): string {
  return dump({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'w',
        cluster: {
          server: 'https://west.example.com:6443/',
          'certificate-authority-data': base64(pem),
          ...cluster,
        },
      },
    ],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'c', context: { cluster: 'w', user: 'u' } }],
    'current-context': 'c',
    ...more,
  });
}

function refusalOf(text: string): string {
  try {
    readKubeconfig(text, 'Secret istio-system/west, entry kubeconfig');
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
}

describe('a kubeconfig of somebody else', () => {
  test('is read where it has everything in itself', () => {
    expect(readKubeconfig(aKubeconfig(), 'it')).toEqual({
      ...{ server: 'https://west.example.com:6443', caPem: pem, credential: { token: 'secret-token' } },
    });
    const user = { 'client-certificate-data': base64('cert'), 'client-key-data': base64('key') };
    const cluster = { 'tls-server-name': 'kubernetes', 'proxy-url': 'http://proxy.example.com:3128' };
    expect(readKubeconfig(aKubeconfig({ user, cluster }), 'it')).toMatchObject({
      ...{ tlsServerName: 'kubernetes', proxyUrl: 'http://proxy.example.com:3128' },
      credential: { certPem: 'cert', keyPem: 'key' },
    });
  });

  test.each([
    [
      'runs a program',
      { user: { exec: { command: '/bin/sh', args: ['-c', 'secret-program'] } } },
      'user.exec: must not be used',
    ],
    ['reads a token from a file', { user: { tokenFile: '/secret' } }, 'user.tokenFile: must not be used'],
    ['reads a key from a file', { user: { 'client-key': '/secret' } }, 'user.client-key: must not be used'],
    [
      'has a provider of a library',
      { user: { 'auth-provider': { name: 'gcp' } } },
      'user.auth-provider: must not be used',
    ],
    [
      'reads an authority from a file',
      { cluster: { 'certificate-authority': '/secret' } },
      'cluster.certificate-authority: must not be a path',
    ],
    [
      'trusts anybody',
      { cluster: { 'insecure-skip-tls-verify': true } },
      'cluster.insecure-skip-tls-verify: must not be true',
    ],
    [
      'goes without TLS',
      { cluster: { server: 'http://west.example.com' } },
      'cluster.server: must be an https address',
    ],
    ['has nothing to show', { user: {} }, 'user: must have token, or client-certificate-data'],
    [
      'has a key that is no base64',
      { user: { 'client-key-data': '%secret%' } },
      'user of the current context.client-key-data: ',
    ],
    [
      'names no context',
      { more: { 'current-context': 'other' } },
      'contexts: has none of the name in current-context',
    ],
    ['names a user that there is not', { more: { users: [] } }, 'user of the current context: '],
    ['is of another kind', { more: { contexts: 'secret' } }, 'contexts: '],
  ])('is refused when it %s, without a word of what it holds', (_what, parts, message) => {
    const refusal = refusalOf(aKubeconfig(parts as Record<string, object>));
    expect(refusal).toContain(`Secret istio-system/west, entry kubeconfig: ${message}`);
    expect(refusal).not.toMatch(/secret-|\/secret|%secret/);
  });

  test('is refused when it is no YAML, without a word of it', () => {
    expect(refusalOf('a: [secret-token')).toBe('Secret istio-system/west, entry kubeconfig: is no YAML');
  });
});

describe('a connection to another cluster behind a proxy', () => {
  let authority: TestAuthority;
  let certificate: TestCertificate;
  let server: OutsideServer;

  beforeAll(async () => {
    authority = await TestAuthority.create();
    certificate = await authority.issue('DNS:kubernetes');
    server = await startOutsideServer('127.0.0.1', certificate);
  });

  afterAll(async () => {
    server?.close();
    await authority?.remove();
  });

  /** What becomes of one request. */
  async function ask(protocol: TunnelProtocol, tlsServerName?: string): Promise<unknown> {
    const proxy = await startTunnelProxy(protocol, new URL(`https://127.0.0.1:${server.port}`), certificate);
    const connection = connectRemote(
      {
        ...{ server: 'https://west.example.com:6443', caPem: authority.caPem, proxyUrl: proxy.url },
        ...(tlsServerName === undefined ? {} : { tlsServerName }),
        credential: { token: 'secret-token' },
      },
      new FakeClock(),
    );
    try {
      const { dispatcher, headers } = await connection.grant();
      const { body } = await request(`${connection.baseUrl}/version`, { dispatcher, headers });
      return await body.json();
    } catch (error) {
      return (error as { code?: string }).code;
    } finally {
      await connection.close();
      await proxy.stop();
    }
  }

  test.each(tunnelProtocols)('expects the name in certificates that it is told, by %s', async (protocol) => {
    const refused = protocol === 'https' ? 'UND_ERR_PRX_TLS' : 'ERR_TLS_CERT_ALTNAME_INVALID';
    expect(await ask(protocol, 'kubernetes')).toEqual({});
    expect(await ask(protocol, 'other')).toBe(refused);
    expect(await ask(protocol)).toBe(refused);
  });
});
