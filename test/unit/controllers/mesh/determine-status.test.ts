import { describe, expect, test } from 'vitest';
import type { ObjectId } from '../../../../src/api/kubernetes-object.ts';
import { resolveMesh } from '../../../../src/api/resolve.ts';
import { TerminalError, TransientError, WaitingError } from '../../../../src/base/errors.ts';
import { determineStatus } from '../../../../src/controllers/mesh/determine-status.ts';
import type { RemovalReport } from '../../../../src/controllers/mesh/mesh-remover.ts';
import type { Unhealthy } from '../../../../src/controllers/mesh/object-health.ts';
import type { PassReport, WaveReport } from '../../../../src/controllers/mesh/pass-report.ts';

const now = new Date('2026-01-01T12:00:00.700Z');
const later = new Date('2026-01-01T13:00:00Z');
const istiod: ObjectId = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  namespace: 'istio-system',
  name: 'istiod',
};
const gateway: ObjectId = { ...istiod, name: 'gateway' };
const rollingOut: Unhealthy = { reason: 'Progressing', message: 'istiod is rolling out', isFailed: false };

const resolved = resolveMesh({
  apiVersion: 'meshoperator.dev/v1alpha1',
  kind: 'MeshOperator',
  metadata: { name: 'mesh', namespace: 'istio-system' },
});

function aWave(name: WaveReport['name'], unhealthy: Unhealthy[] = []): WaveReport {
  return { name, isApplied: true, unhealthy };
}

function aReport(parts: Partial<PassReport> = {}): PassReport {
  const waves = (['access', 'control-plane', 'admission', 'gateways'] as const).map((name) => aWave(name));
  return {
    resolved,
    isDeleting: false,
    waves,
    gateways: [],
    members: [],
    inventory: [istiod],
    leaving: [],
    ...{ drift: [], fights: [], ignored: [], history: [], adopted: [] },
    ...parts,
  };
}

function aRemoval(parts: Partial<RemovalReport> = {}): RemovalReport {
  const held = [{ id: istiod, finalizers: [], mayBeLeft: true }];
  return { held, remaining: [istiod, gateway], leftBehind: [], ...parts };
}

function conditionOf(status: ReturnType<typeof determineStatus>, type: string) {
  return status.conditions?.find((condition) => condition.type === type);
}

describe('the status of a mesh', () => {
  test('is Ready when every wave is applied and healthy and nothing is leaving', () => {
    const status = determineStatus(undefined, 3, aReport(), now);

    expect(status.state).toBe('Ready');
    expect(status.observedGeneration).toBe(3);
    expect(conditionOf(status, 'Ready')?.status).toBe('True');
    expect(conditionOf(status, 'ControlPlaneReady')?.status).toBe('True');
    expect(conditionOf(status, 'GatewaysReady')?.status).toBe('True');
    expect(conditionOf(status, 'Reconciling')).toBeUndefined();
    expect(conditionOf(status, 'Stalled')).toBeUndefined();
    expect(status.version).toBe(resolved.version.patch);
    expect(status.revision).toBe('default');
  });

  test('is reconciling while istiod rolls out, and the gateways wait for it', () => {
    const waves = [aWave('access'), aWave('control-plane', [rollingOut])];

    const status = determineStatus(undefined, 3, aReport({ waves }), now);

    expect(status.state).toBe('Reconciling');
    expect(status.observedGeneration).toBeUndefined();
    expect(conditionOf(status, 'Ready')).toMatchObject({ status: 'False', message: rollingOut.message });
    expect(conditionOf(status, 'Reconciling')?.status).toBe('True');
    expect(conditionOf(status, 'ControlPlaneReady')).toMatchObject({
      status: 'False',
      reason: 'Progressing',
    });
    expect(conditionOf(status, 'GatewaysReady')?.status).toBe('False');
  });

  test('names the trouble of the authority with istiod, which waits for it, and with nothing else', () => {
    const waves = [aWave('control-plane', [rollingOut]), aWave('gateways', [rollingOut])];
    const trouble = 'TrustHealthy says why (MaterialRefused): Secret istio-system/ca does not exist';

    const status = determineStatus(undefined, 3, aReport({ waves, trustTrouble: trouble }), now);

    const message = `${rollingOut.message}; ${trouble}`;
    expect(conditionOf(status, 'Ready')).toMatchObject({ message: `${message} (and 1 more)` });
    expect(conditionOf(status, 'ControlPlaneReady')).toMatchObject({ reason: 'Progressing', message });
    expect(conditionOf(status, 'GatewaysReady')).toMatchObject({ message: rollingOut.message });
  });

  test('is reconciling, never ready, before the first wave is applied', () => {
    const waves = aReport().waves.map((wave) => ({ ...wave, isApplied: false }));

    const status = determineStatus(undefined, 3, aReport({ waves }), now);

    expect(status.state).toBe('Reconciling');
    expect(status.observedGeneration).toBeUndefined();
    expect(conditionOf(status, 'ControlPlaneReady')?.status).toBe('False');
  });

  test('is stalled by a spec that a person must change, and keeps saying what still runs', () => {
    const before = determineStatus(undefined, 3, aReport(), now);
    const error = new TerminalError('spec.profil: unknown field', { reason: 'InvalidSpec' });
    const { resolved: _none, ...rest } = aReport({ error, waves: [] });

    const status = determineStatus(before, 4, rest, later);

    expect(status.state).toBe('Stalled');
    expect(status.observedGeneration).toBe(4);
    expect(conditionOf(status, 'Stalled')).toMatchObject({ reason: 'InvalidSpec', message: error.message });
    expect(conditionOf(status, 'ControlPlaneReady')?.status).toBe('True');
    expect(status.version).toBe(before.version);
  });

  test('stays at the generation it finished while an error may pass by itself', () => {
    const before = determineStatus(undefined, 3, aReport(), now);

    const status = determineStatus(
      before,
      4,
      aReport({ error: new TransientError('refused', { reason: 'X' }) }),
      later,
    );

    expect(status.observedGeneration).toBe(3);
    expect(conditionOf(status, 'Reconciling')?.reason).toBe('ApplyFailed');
  });

  test('does not know whether the mesh is ready while it waits for something that is not there', () => {
    const error = new WaitingError('Namespace edge does not exist', {
      reason: 'NamespaceMissing',
      retryAfterMs: 1,
    });

    expect(conditionOf(determineStatus(undefined, 1, aReport({ error }), now), 'Ready')).toMatchObject({
      status: 'Unknown',
      reason: 'NamespaceMissing',
    });
  });

  describe('while mutual TLS waits', () => {
    const condition = {
      type: 'MutualTlsInForce',
      status: 'True',
      reason: 'InForce',
      message: 'It is',
    } as const;
    const decided = { peers: undefined, status: { inForce: ['*'] }, condition, inForceBefore: ['shop'] };
    const waiting = { inForce: ['shop'], waiting: ['*'], waitsSince: '2026-01-01T00:00:00Z' };
    const refused = {
      ...condition,
      status: 'False',
      reason: 'PlaintextCallers',
      message: 'It waits',
    } as const;

    test('is Ready, and says that it does', () => {
      const mtls = { ...decided, status: waiting, condition: refused };
      const status = determineStatus(undefined, 3, aReport({ mtls, waves: [aWave('policies')] }), now);

      expect(status).toMatchObject({ state: 'Ready', mtls: waiting });
      expect(conditionOf(status, 'Ready')?.message).toMatch(/STRICT waits: see MutualTlsInForce$/);
      expect(conditionOf(status, 'MutualTlsInForce')).toMatchObject({ status: 'False', message: 'It waits' });
    });

    test('says that it is in force once the policies are applied, and not before', () => {
      const late = { ...aWave('policies'), isApplied: false };
      const before = determineStatus(undefined, 3, aReport({ mtls: decided, waves: [late] }), now);
      const after = determineStatus(before, 3, aReport({ mtls: decided, waves: [aWave('policies')] }), now);

      expect(before.mtls).toEqual({ inForce: ['shop'] });
      expect(conditionOf(before, 'MutualTlsInForce')).toMatchObject({ status: 'False', reason: 'Waiting' });
      expect(after.mtls).toEqual({ inForce: ['*'] });
      expect(conditionOf(after, 'MutualTlsInForce')).toMatchObject({ status: 'True', reason: 'InForce' });
    });

    test('keeps what it knew in a pass that does not come to it, and drops it with the migration', () => {
      const before = determineStatus(undefined, 3, aReport({ mtls: decided }), now);
      const { resolved: _none, ...failed } = aReport({
        error: new TransientError('no answer', { reason: 'ApplyFailed' }),
      });

      expect(determineStatus(before, 3, failed, now).mtls).toEqual(before.mtls);
      const without = determineStatus(before, 4, aReport(), now);
      expect(without.mtls).toBeUndefined();
      expect(conditionOf(without, 'MutualTlsInForce')).toBeUndefined();
    });
  });

  test('gives a pause with its reason and its end, and leaves the components as they were', () => {
    const before = determineStatus(undefined, 3, aReport(), now);
    const pause = { reason: 'maintenance', until: new Date('2026-02-01T00:00:00Z') };
    const { resolved: _none, ...rest } = aReport({ pause, waves: [] });

    const status = determineStatus(before, 4, rest, later);

    expect(status.state).toBe('Paused');
    expect(conditionOf(status, 'Ready')?.message).toBe('Paused until 2026-02-01T00:00:00.000Z: maintenance');
    expect(conditionOf(status, 'ControlPlaneReady')).toEqual(conditionOf(before, 'ControlPlaneReady'));
  });

  test('names what deletion waits for', () => {
    const status = determineStatus(undefined, 3, aReport({ isDeleting: true, removal: aRemoval() }), now);

    expect(status.state).toBe('Deleting');
    expect(conditionOf(status, 'Ready')?.message).toContain('Deployment istio-system/istiod');
  });

  test('names what a deletion that stands still is held by, and when it ends', () => {
    const held = [
      {
        id: istiod,
        finalizers: ['example.com/hold'],
        refusal: 'webhook x denied the request',
        mayBeLeft: true,
      },
    ];
    const removal = aRemoval({ held, blockedSince: now, goesWithoutAt: later });

    const status = determineStatus(undefined, 3, aReport({ isDeleting: true, removal }), now);

    expect(status.state).toBe('Deleting');
    expect(conditionOf(status, 'Stalled')).toMatchObject({ status: 'True', reason: 'RemovalBlocked' });
    expect(conditionOf(status, 'Reconciling')).toBeUndefined();
    expect(conditionOf(status, 'Ready')?.message).toBe(
      'Waiting for Deployment istio-system/istiod (finalizers example.com/hold) (webhook x denied the request) and 1 more to be removed; nothing has gone since 2026-01-01T12:00:00.700Z; at 2026-01-01T13:00:00.000Z the mesh goes without',
    );
  });

  test('is not ready while an object that is no longer wanted remains', () => {
    expect(determineStatus(undefined, 3, aReport({ leaving: [istiod] }), now).state).toBe('Reconciling');
  });

  test('moves lastTransitionTime only when a status changes, in whole seconds', () => {
    const first = determineStatus(undefined, 3, aReport(), now);
    const same = determineStatus(first, 4, aReport(), later);
    const other = determineStatus(first, 4, aReport({ leaving: [istiod] }), later);

    expect(conditionOf(first, 'Ready')?.lastTransitionTime).toBe('2026-01-01T12:00:00Z');
    expect(conditionOf(same, 'Ready')?.lastTransitionTime).toBe('2026-01-01T12:00:00Z');
    expect(conditionOf(other, 'Ready')?.lastTransitionTime).toBe('2026-01-01T13:00:00Z');
  });

  test('is the same for the same pass, so that nothing is written', () => {
    const first = determineStatus(undefined, 3, aReport(), now);

    expect(determineStatus(first, 3, aReport(), later)).toEqual(first);
  });

  test('calls a component that the spec turns off disabled, not unhealthy', () => {
    const bare = { ...resolved, pilot: { ...resolved.pilot, enabled: false }, gateways: [] };

    const status = determineStatus(undefined, 1, aReport({ resolved: bare, waves: [] }), now);

    expect(status.state).toBe('Ready');
    expect(conditionOf(status, 'ControlPlaneReady')?.reason).toBe('Disabled');
    expect(status.revisions).toEqual([]);
  });
});
