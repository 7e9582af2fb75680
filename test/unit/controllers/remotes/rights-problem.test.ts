import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import { operatorAccessLabel } from '../../../../src/api/labels.ts';
import { TerminalError, TransientError } from '../../../../src/base/errors.ts';
import { causeOf, rightsProblem } from '../../../../src/controllers/remotes/rights-problem.ts';

const pass = { key: { mesh: { namespace: 'istio-system', name: 'mesh' }, clusterName: 'west' } };
const listNodes = { verb: 'list', group: '', resource: 'nodes' };

function aSecret(labels: Record<string, string> = {}): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'cluster-west', labels } };
}

test('nothing is wrong where no right is missing', () => {
  expect(rightsProblem(pass, aSecret(), [])).toBeUndefined();
});

test('who was let in by remote-secret create is told the call that brings what is missing', () => {
  const secret = aSecret({ [operatorAccessLabel]: 'east' });

  expect(rightsProblem(pass, secret, [listNodes])?.message).toBe(
    'does not let the operator list nodes in the cluster: call "mesh-operator remote-secret create mesh west -n istio-system --remote-context CONTEXT" again with the context of that cluster, which gives it what this version needs',
  );
});

test('who was let in otherwise is told by which call all that is needed is printed', () => {
  expect(rightsProblem(pass, aSecret(), [listNodes])?.message).toBe(
    'does not let the operator list nodes in the cluster: give that to whom Secret cluster-west lets in; "mesh-operator remote-secret create mesh west -n istio-system --remote-context CONTEXT --dry-run -o yaml" prints roles with all that is needed',
  );
});

test('what an API server refuses is put down to the missing rights, and no other trouble is', () => {
  const problem = rightsProblem(pass, aSecret(), [listNodes]);
  const refused = new TerminalError('Cannot list Nodes', { reason: 'Forbidden' });
  const away = new TransientError('does not answer', { reason: 'ApiServerTimeout' });

  expect(causeOf(refused, problem)).toMatchObject({ reason: 'RightsMissing', cause: refused });
  expect(causeOf(refused, undefined)).toBe(refused);
  expect(causeOf(away, problem)).toBe(away);
});
