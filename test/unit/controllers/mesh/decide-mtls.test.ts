import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import type { MtlsStatus } from '../../../../src/api/mesh-operator-status.ts';
import { resolveMesh } from '../../../../src/api/resolve.ts';
import type { Mtls } from '../../../../src/api/spec/security.ts';
import { decideMtls, type MtlsDecision, mtlsInput } from '../../../../src/controllers/mesh/decide-mtls.ts';
import type { KnownCallers, PlaintextCaller } from '../../../../src/controllers/mesh/plaintext-callers.ts';
import { nothingObserved } from '../../../../src/render/observed-mesh.ts';
import { renderMeshOperator } from '../../../../src/render/render-mesh-operator.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';
import { aRenderContext } from '../../../support/render-context.ts';

const now = new Date('2026-01-01T12:00:00.700Z');
const prometheus = 'http://prometheus:9090';
const wait: Mtls['migration'] = { prometheus: `${prometheus}/`, window: '10m' };
const db = { name: 'db', namespace: 'shop', labels: { app: 'db' } };
const nobody: KnownCallers = { callers: [] };

/** Labels of the pods of a workload, by namespace and name. */
const pods: Readonly<Record<string, Record<string, string>[]>> = {
  'shop/postgres': [{ app: 'db' }],
  'shop/web': [{ app: 'web' }],
  'legacy/old': [{ app: 'old' }],
};

function call(to: string, from?: string): PlaintextCaller {
  const workload = (text: string) => ({
    namespace: text.split('/')[0] ?? '',
    workload: text.split('/')[1] ?? '',
  });
  return { to: workload(to), ...(from === undefined ? {} : { from: workload(from) }), count: 3 };
}

interface Situation {
  /** In force, as PeerAuthentications. */
  readonly was?: Omit<Mtls, 'migration'>;
  readonly wanted: Mtls;
  readonly known?: KnownCallers;
  readonly before?: MtlsStatus;
}

function decide({ was, wanted, known, before }: Situation): MtlsDecision {
  const input = mtlsInput(
    resolveMesh(aMeshOperator({ security: { mtls: { migration: wait, ...wanted } } })),
    { owned: was === undefined ? [] : peersOf(was), members: [] },
    { before, now, podsOf: (namespace, workload) => pods[`${namespace}/${workload}`] ?? [] },
  );
  if (input === undefined) throw new Error('The mesh has no migration');
  return decideMtls(known === undefined ? input : { ...input, known });
}

/** As they are rendered. */
function peersOf(mtls: Omit<Mtls, 'migration'>): KubernetesObject[] {
  const mesh = aMeshOperator({ security: { mtls } });
  return renderMeshOperator(mesh, resolveMesh(mesh), nothingObserved, aRenderContext()).flatMap(
    ({ objects }) => objects,
  );
}

const modes = ({ peers = [] }: MtlsDecision) =>
  peers.map(({ namespace, name, mode, ports }) => [`${namespace}/${name}`, mode, ...ports]);

test('a mesh without a migration has nothing to decide', () => {
  const mesh = resolveMesh(aMeshOperator({ security: { mtls: { mode: 'STRICT' } } }));
  const input = mtlsInput(mesh, { owned: [], members: [] }, { before: undefined, now, podsOf: () => [] });

  expect(input).toBeUndefined();
});

describe('STRICT where plaintext is taken', () => {
  const situation: Situation = { wanted: { mode: 'STRICT' } };

  test('waits until somebody has been asked', () => {
    const decision = decide(situation);

    expect(decision.ask).toEqual({ windowMs: 600_000 });
    expect(modes(decision)).toEqual([['istio-system/default', 'PERMISSIVE']]);
    expect(decision.status).toEqual({ inForce: [], waiting: ['*'], waitsSince: '2026-01-01T12:00:00Z' });
  });

  test('waits while somebody calls in plaintext, and says who', () => {
    const callers = [call('shop/web', 'batch/report'), call('legacy/old')];
    const decision = decide({ ...situation, known: { callers } });

    expect(modes(decision)).toEqual([['istio-system/default', 'PERMISSIVE']]);
    expect(decision.status.callers).toEqual([
      { from: 'batch/report', to: 'shop/web', count: 3 },
      { to: 'legacy/old', count: 3 },
    ]);
    expect(decision.condition).toEqual({
      ...{ type: 'MutualTlsInForce', status: 'False', reason: 'PlaintextCallers' },
      message:
        'STRICT waits at *, since in plaintext batch/report calls shop/web, somebody without a proxy calls legacy/old',
    });
  });

  test('waits while nobody knows, and says why', () => {
    const decision = decide({
      ...situation,
      known: { unknown: `${prometheus} cannot be asked: ECONNREFUSED` },
    });

    expect(modes(decision)).toEqual([['istio-system/default', 'PERMISSIVE']]);
    expect(decision.condition).toMatchObject({ status: 'False', reason: 'CallersUnknown' });
    expect(decision.condition.message).toContain(`since ${prometheus} cannot be asked: ECONNREFUSED`);
  });

  test('says since when it waits, for as long as it does', () => {
    const before = { inForce: [], waiting: ['*'], waitsSince: '2025-12-31T00:00:00Z' };

    expect(decide({ ...situation, before }).status.waitsSince).toBe(before.waitsSince);
    expect(decide({ ...situation, before, known: nobody }).status).toEqual({ inForce: ['*'] });
  });

  test('comes into force when nobody calls', () => {
    const decision = decide({ ...situation, known: nobody });

    expect(decision.peers).toBeUndefined();
    expect(decision.inForceBefore).toEqual([]);
    expect(decision.condition).toMatchObject({ status: 'True', reason: 'InForce' });
  });

  test('comes into force whoever calls where that is to be ignored, and nobody is asked', () => {
    const decision = decide({ wanted: { mode: 'STRICT', migration: { prometheus, onPlaintext: 'Ignore' } } });

    expect(decision).toMatchObject({ peers: undefined, status: { inForce: ['*'] } });
    expect(decision.ask).toBeUndefined();
  });

  test('names no more callers than a status has room for', () => {
    const callers = Array.from({ length: 30 }, (_, index) => call(`shop/w-${index}`));
    const { status, condition } = decide({ ...situation, known: { callers } });

    expect(status.callers).toHaveLength(20);
    expect(condition.message).toMatch(/calls shop\/w-4 and 25 more$/);
  });
});

describe('whose calls count', () => {
  test.each<[string, Situation, string[], string[]]>([
    [
      'for a namespace: those to it alone',
      {
        wanted: {
          namespaces: [
            { namespace: 'shop', mode: 'STRICT' },
            { namespace: 'pay', mode: 'STRICT' },
          ],
        },
        known: { callers: [call('shop/web'), call('legacy/old')] },
      },
      ['pay'],
      ['shop'],
    ],
    [
      'for the mesh: none to a namespace that goes on taking plaintext',
      {
        wanted: { mode: 'STRICT', namespaces: [{ namespace: 'legacy', mode: 'PERMISSIVE' }] },
        known: { callers: [call('legacy/old')] },
      },
      ['*'],
      [],
    ],
    [
      'for a namespace: none to a workload that goes on taking plaintext',
      {
        wanted: {
          namespaces: [{ namespace: 'shop', mode: 'STRICT' }],
          workloads: [{ ...db, mode: 'PERMISSIVE' }],
        },
        known: { callers: [call('shop/postgres')] },
      },
      ['shop'],
      [],
    ],
    [
      'for a workload: those to its pods alone',
      {
        wanted: { workloads: [{ ...db, mode: 'STRICT' }] },
        known: { callers: [call('shop/web')] },
      },
      ['shop app=db'],
      [],
    ],
    [
      'for a workload and its ports: those to any port, since metrics know none',
      {
        was: { workloads: [{ ...db, mode: 'PERMISSIVE' }] },
        wanted: { workloads: [{ ...db, mode: 'PERMISSIVE', ports: [{ port: 1, mode: 'STRICT' }] }] },
        known: { callers: [call('shop/postgres')] },
      },
      [],
      ['shop app=db port 1'],
    ],
    [
      'of a workload without pods: for all that it may have been',
      {
        wanted: { mode: 'STRICT', workloads: [{ ...db, mode: 'STRICT' }] },
        known: { callers: [call('shop/gone')] },
      },
      [],
      ['*', 'shop app=db'],
    ],
  ])('%s', (_what, situation, inForce, waiting) => {
    const { status } = decide(situation);

    expect(status).toMatchObject({ inForce });
    expect(status.waiting ?? []).toEqual(waiting);
  });
});

describe('what becomes stricter', () => {
  test('is a namespace whose exception goes', () => {
    const was: Mtls = { mode: 'STRICT', namespaces: [{ namespace: 'legacy', mode: 'PERMISSIVE' }] };
    const decision = decide({ was, wanted: { mode: 'STRICT' } });

    expect(decision.ask).toEqual({ namespaces: ['legacy'], windowMs: 600_000 });
    expect(modes(decision)).toEqual([
      ['istio-system/default', 'STRICT'],
      ['legacy/default', 'PERMISSIVE'],
    ]);
    expect(decision.status).toMatchObject({ inForce: ['*'], waiting: ['legacy'] });
  });

  test.each<[string, Situation]>([
    ['is nothing where it is in force', { was: { mode: 'STRICT' }, wanted: { mode: 'STRICT' } }],
    [
      'is nothing where a wider policy has it in force',
      {
        was: { mode: 'STRICT' },
        wanted: { mode: 'STRICT', namespaces: [{ namespace: 'a', mode: 'STRICT' }] },
      },
    ],
    ['is nothing where less is asked for', { was: { mode: 'STRICT' }, wanted: { mode: 'PERMISSIVE' } }],
    [
      'is nothing where its policy was deleted, but it has been in force',
      { wanted: { mode: 'STRICT' }, before: { inForce: ['*'] } },
    ],
    [
      'is nothing where somebody has opened its policy, but it has been in force',
      { was: { mode: 'PERMISSIVE' }, wanted: { mode: 'STRICT' }, before: { inForce: ['*'] } },
    ],
  ])('%s', (_what, situation) => {
    const decision = decide(situation);

    expect(decision.peers).toBeUndefined();
    expect(decision.ask).toBeUndefined();
    expect(decision.condition.status).toBe('True');
  });

  test('is what was in force, once less was asked for in between', () => {
    const before = { inForce: ['*'] };
    const { status } = decide({ was: { mode: 'STRICT' }, wanted: { mode: 'PERMISSIVE' }, before });

    expect(
      decide({ was: { mode: 'PERMISSIVE' }, wanted: { mode: 'STRICT' }, before: status }).ask,
    ).toBeDefined();
  });
});

test('a tenant asks about its own namespaces alone', () => {
  const tenancy = { tenant: 'red', members: { namespaces: ['shop'] } };
  const mesh = aMeshOperator({
    revision: 'red',
    tenancy,
    security: { mtls: { mode: 'STRICT', migration: wait } },
  });
  const input = mtlsInput(
    resolveMesh(mesh),
    { owned: [], members: ['shop'] },
    { before: undefined, now, podsOf: () => [] },
  );

  expect(input && decideMtls(input).ask).toEqual({ namespaces: ['istio-system', 'shop'], windowMs: 600_000 });
});
