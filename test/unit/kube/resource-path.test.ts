import { expect, test } from 'vitest';
import { kindInfo } from '../../../src/api/kinds.ts';
import { resourcePath } from '../../../src/kube/resource-path.ts';

const pods = kindInfo('v1', 'Pod');
const deployments = kindInfo('apps/v1', 'Deployment');
const namespaces = kindInfo('v1', 'Namespace');

test.each([
  { kind: pods, options: {}, path: '/api/v1/pods' },
  { kind: pods, options: { namespace: 'a' }, path: '/api/v1/namespaces/a/pods' },
  { kind: pods, options: { namespace: 'a', name: 'p' }, path: '/api/v1/namespaces/a/pods/p' },
  {
    kind: deployments,
    options: { namespace: 'a', name: 'd', subresource: 'status' },
    path: '/apis/apps/v1/namespaces/a/deployments/d/status',
  },
  { kind: namespaces, options: { namespace: 'ignored', name: 'a' }, path: '/api/v1/namespaces/a' },
  { kind: namespaces, options: { name: 'a/../b' }, path: '/api/v1/namespaces/a%2F..%2Fb' },
])('addresses $path', ({ kind, options, path }) => {
  expect(resourcePath(kind, options)).toBe(path);
});
