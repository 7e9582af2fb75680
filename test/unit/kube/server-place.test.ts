import { KubeConfig } from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { ApiConnection } from '../../../src/kube/api-connection.ts';
import { isOnlyLocal, serverPlace } from '../../../src/kube/server-place.ts';

function connectionTo(cluster: object): ApiConnection {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'west', server: 'https://west.example.com:6443/', ...cluster }],
    users: [{ name: 'me', token: 'secret' }],
    contexts: [{ name: 'west', cluster: 'west', user: 'me' }],
    currentContext: 'west',
  });
  return new ApiConnection(config, systemClock);
}

test('where a server is can be told to others: whole, and without who we are', () => {
  const caData = Buffer.from('PEM').toString('base64');
  const place = serverPlace(
    connectionTo({ caData, tlsServerName: 'kubernetes', proxyUrl: 'http://proxy:3128' }),
  );

  expect(place).toEqual({
    ...{ server: 'https://west.example.com:6443', caPem: 'PEM', tlsServerName: 'kubernetes' },
    proxyUrl: 'http://proxy:3128',
  });
});

test.each([
  ['certificates are not checked', { skipTLSVerify: true }, 'does not check the certificate'],
  [
    'the file of its authority cannot be read',
    { caFile: '/absent.pem' },
    'Cannot read certificate-authority',
  ],
])('it is refused where %s', (_what, cluster, message) => {
  expect(() => serverPlace(connectionTo(cluster))).toThrow(message);
});

test.each([
  'https://127.0.0.1:6443',
  'https://127.1.2.3',
  'https://localhost:6443/',
  'https://west.localhost',
  'https://0.0.0.0:6443',
  'https://[::1]:6443',
  'https://[::]:6443',
  'https://[::ffff:127.0.0.1]:6443',
])('%s is where nobody finds it from another machine', (server) => {
  expect(isOnlyLocal({ server })).toBe(true);
  expect(isOnlyLocal({ server, proxyUrl: 'http://proxy.example.com:3128' })).toBe(false);
});

test.each([
  'https://west.example.com:6443',
  'https://10.0.0.1:6443',
  'https://localhost.example.com',
  'https://[fd00::1]:6443',
  'https://128.0.0.1',
])('%s may be found from elsewhere', (server) => {
  expect(isOnlyLocal({ server })).toBe(false);
});
