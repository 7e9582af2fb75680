import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject, ObjectId } from '../../src/api/kubernetes-object.ts';
import { ConflictError, NotFoundError, TerminalError, TransientError } from '../../src/base/errors.ts';
import { FieldConflictError } from '../../src/kube/errors.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { never, ownNamespace, type TestClient, testClient } from '../support/test-client.ts';

let direct: TestClient;
let proxy: FaultProxy;
let proxied: TestClient;
let namespace: string;

beforeAll(async () => {
  const cluster = await sharedCluster();
  direct = testClient(cluster.kubeconfigPath);
  proxy = await FaultProxy.start(cluster.kubeconfigPath);
  proxied = testClient(proxy.kubeconfig, { requestTimeoutMs: 300 });
  namespace = await ownNamespace(direct.client, 'errors');
});

afterAll(async () => {
  await proxied.connection.close();
  await proxy.stop();
  await direct.connection.close();
});

function aConfigMap(name: string, data: Record<string, unknown> = {}): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

function idOfConfigMap(name: string): ObjectId {
  return { apiVersion: 'v1', kind: 'ConfigMap', namespace, name };
}

function aRoleBinding(name: string, role: string): KubernetesObject {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name, namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: role },
  };
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  const result = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(result).toBeInstanceOf(Error);
  return result as Error;
}

describe('an answer of the API server', () => {
  test('is a NotFoundError for an object that does not exist', async () => {
    const error = await failureOf(direct.client.get(idOfConfigMap('nothing'), never));

    expect(error).toBeInstanceOf(NotFoundError);
    expect(error.message).toBe(`Cannot read ConfigMap ${namespace}/nothing: configmaps "nothing" not found`);
    expect(await direct.client.find(idOfConfigMap('nothing'), never)).toBeUndefined();
  });

  test('is no error when what is deleted does not exist', async () => {
    await expect(direct.client.delete(idOfConfigMap('nothing'), {}, never)).resolves.toBeUndefined();
  });

  test('is a ConflictError AlreadyExists when the name is taken', async () => {
    await direct.client.create(aConfigMap('taken'), { fieldManager: 'a' }, never);

    const error = await failureOf(direct.client.create(aConfigMap('taken'), { fieldManager: 'a' }, never));

    expect(error).toBeInstanceOf(ConflictError);
    expect(error).toMatchObject({ reason: 'AlreadyExists' });
  });

  test('is a ConflictError when the object has changed since it was read', async () => {
    const old = await direct.client.create(aConfigMap('changed'), { fieldManager: 'a' }, never);
    await direct.client.apply(aConfigMap('changed', { k: 'v' }), { fieldManager: 'b' }, never);
    const { resourceVersion = '', uid = '' } = old.metadata;

    const patched = await failureOf(
      direct.client.patch(
        idOfConfigMap('changed'),
        { type: 'merge', merge: { metadata: { resourceVersion }, data: { k: 'w' } } },
        { fieldManager: 'a' },
        never,
      ),
    );
    const deleted = await failureOf(
      direct.client.delete(idOfConfigMap('changed'), { preconditions: { uid, resourceVersion } }, never),
    );

    expect(patched).toBeInstanceOf(ConflictError);
    expect(deleted).toBeInstanceOf(ConflictError);
    expect(deleted).toMatchObject({ reason: 'Conflict' });
  });

  test('is a FieldConflictError that names the other managers and the fields', async () => {
    await direct.client.apply(aConfigMap('shared', { a: '1', b: '1' }), { fieldManager: 'other' }, never);

    const error = await failureOf(
      direct.client.apply(aConfigMap('shared', { a: '2', b: '2' }), { fieldManager: 'mesh' }, never),
    );

    expect(error).toBeInstanceOf(FieldConflictError);
    expect((error as FieldConflictError).conflicts).toEqual([
      { field: '.data.a', manager: 'other' },
      { field: '.data.b', manager: 'other' },
    ]);
  });

  test('is a TerminalError with the field for a value that is refused', async () => {
    const service: KubernetesObject = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'bad', namespace },
      spec: { ports: [{ port: 99_999 }] },
    };

    const error = await failureOf(direct.client.apply(service, { fieldManager: 'mesh' }, never));

    expect(error).toBeInstanceOf(TerminalError);
    expect(error.message).toContain(`Cannot apply Service ${namespace}/bad: `);
    expect(error.message).toContain('spec.ports[0].port: Invalid value: 99999');
  });

  test('is a TerminalError for a field that does not exist', async () => {
    const error = await failureOf(
      direct.client.apply({ ...aConfigMap('unknown'), dataa: { k: 'v' } }, { fieldManager: 'mesh' }, never),
    );

    expect(error).toBeInstanceOf(TerminalError);
    expect(error.message).toContain('.dataa: field not declared in schema');
  });

  test('is a TerminalError that names the field for a value that cannot change', async () => {
    await direct.client.apply(aRoleBinding('fixed', 'one'), { fieldManager: 'mesh' }, never);

    const error = await failureOf(
      direct.client.apply(aRoleBinding('fixed', 'two'), { fieldManager: 'mesh' }, never),
    );

    expect(error).toBeInstanceOf(TerminalError);
    expect(error).toMatchObject({
      reason: 'ImmutableField',
      message:
        `Cannot apply RoleBinding ${namespace}/fixed: roleRef cannot be changed; ` +
        'delete the object to have it created anew',
    });
  });

  test('is a TerminalError when we may not do it', async () => {
    proxy.impersonate('nobody');

    const error = await failureOf(proxied.client.get(idOfConfigMap('x'), never));
    proxy.impersonate(undefined);

    expect(error).toBeInstanceOf(TerminalError);
    expect(error).toMatchObject({ reason: 'Forbidden' });
    expect(error.message).toContain('User "nobody" cannot get resource "configmaps"');
  });

  test('is a TransientError with the wait that a 429 names', async () => {
    proxy.failNext({ path: /configmaps/ }, { status: 429, retryAfterSeconds: 7, reason: 'TooManyRequests' });

    const error = await failureOf(proxied.client.get(idOfConfigMap('x'), never));

    expect(error).toBeInstanceOf(TransientError);
    expect(error).toMatchObject({ reason: 'TooManyRequests', retryAfterMs: 7000 });
  });

  test.each([500, 502, 503, 504])('is a TransientError for a %i', async (status) => {
    proxy.failNext({ path: /configmaps/ }, { status });

    expect(await failureOf(proxied.client.get(idOfConfigMap('x'), never))).toBeInstanceOf(TransientError);
  });
});

describe('no answer of the API server', () => {
  test('is a TransientError when the connection is cut', async () => {
    proxy.cutNext({ path: /configmaps/ });

    const error = await failureOf(proxied.client.get(idOfConfigMap('x'), never));

    expect(error).toBeInstanceOf(TransientError);
    expect(error).toMatchObject({ reason: 'ApiServerUnreachable' });
  });

  test('is a TransientError that says how long it was waited for', async () => {
    const held = proxy.holdNext({ path: /configmaps/ });

    const error = await failureOf(proxied.client.get(idOfConfigMap('slow'), never));
    held.release();

    expect(error).toBeInstanceOf(TransientError);
    expect(error.message).toBe(`Cannot read ConfigMap ${namespace}/slow: no answer within 0.3 s`);
  });

  test("is the signal's reason when the caller no longer wants it", async () => {
    const patient = testClient(proxy.kubeconfig);
    const held = proxy.holdNext({ path: /configmaps/ });
    const abort = new AbortController();
    const reading = failureOf(patient.client.get(idOfConfigMap('x'), abort.signal));
    await held.arrived;

    abort.abort(new Error('shutdown'));

    expect((await reading).message).toBe('shutdown');
    held.release();
    await patient.connection.close();
  });
});

describe('the client', () => {
  test('asks the API server no more at once than it may', async () => {
    const limited = testClient(proxy.kubeconfig, { maxInFlight: 1 });
    const first = proxy.holdNext({ path: /configmaps/ });
    const before = proxy.requests.length;

    const reads = [
      limited.client.find(idOfConfigMap('a'), never),
      limited.client.find(idOfConfigMap('b'), never),
    ];
    await first.arrived;
    expect(proxy.requests).toHaveLength(before + 1);
    first.release();
    await Promise.all(reads);

    expect(proxy.requests).toHaveLength(before + 2);
    await limited.connection.close();
  });
});
