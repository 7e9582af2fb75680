import { expect, test } from 'vitest';
import { readUserInfo } from '../../../src/api/user-info.ts';

test('a user is read as the API server sends it, without what is about the token alone', () => {
  const user = {
    username: 'system:serviceaccount:argocd:controller',
    uid: 'u1',
    groups: ['system:serviceaccounts', 7],
    extra: { 'authentication.kubernetes.io/pod-name': ['x'], scopes: ['mesh'] },
  };

  expect(readUserInfo(user)).toEqual({
    username: 'system:serviceaccount:argocd:controller',
    uid: 'u1',
    groups: ['system:serviceaccounts'],
    extra: { scopes: ['mesh'] },
  });
});

test.each([[null], [{}], [{ username: '' }], [{ username: 7 }]])('%j is no user', (value) => {
  expect(readUserInfo(value)).toBeUndefined();
});
