import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import { accessRenewal } from '../../../../src/controllers/remotes/access-renewal.ts';

const mesh = { namespace: 'istio-system', clusterId: 'east' };
const issuedAt = new Date('2026-01-01T00:00:00Z');
const lifetime = 720 * 3_600;
const account = 'system:serviceaccount:istio-system:mesh-operator-east';

function tokenOf(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256' })}.${part(claims)}.c2lnbmF0dXJl`;
}

const claims = { sub: account, iat: issuedAt.getTime() / 1000, exp: issuedAt.getTime() / 1000 + lifetime };

function renewal(
  afterSeconds: number,
  { token = tokenOf(claims), label = 'east' }: { token?: string; label?: string } = {},
): number | undefined {
  const secret: KubernetesObject = {
    ...{ apiVersion: 'v1', kind: 'Secret' },
    metadata: { name: 'cluster-west', labels: { 'meshoperator.dev/operator-access-of': label } },
  };
  const identity = { server: 'https://west.example.com', credential: { token } };
  return accessRenewal(secret, identity, mesh, new Date(issuedAt.getTime() + afterSeconds * 1000));
}

test('a token is renewed when half of its life is over, for as long as it was issued for', () => {
  expect(renewal(lifetime / 2 - 1)).toBeUndefined();
  expect(renewal(lifetime / 2)).toBe(lifetime);
});

test.each([
  ['a Secret that the verb has not made', { label: 'elsewhere' }],
  ['the token of another ServiceAccount', { token: tokenOf({ ...claims, sub: `${account}-admin` }) }],
  ['a token without an end', { token: tokenOf({ sub: account, iat: claims.iat }) }],
  ['a text that is no token', { token: 'opaque' }],
])('%s is left alone', (_what, given) => {
  expect(renewal(lifetime, given)).toBeUndefined();
});
