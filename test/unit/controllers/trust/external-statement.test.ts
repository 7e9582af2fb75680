import { describe, expect, test } from 'vitest';
import type { ForeignBundle } from '../../../../src/controllers/trust/bundle-statement.ts';
import { externalStatement } from '../../../../src/controllers/trust/external-statement.ts';
import type { ContestedCopy } from '../../../../src/controllers/trust/plan-copies.ts';
import type { Blocker } from '../../../../src/pki/gates.ts';
import { readTrustedRoots } from '../../../../src/pki/trusted-roots.ts';
import { anAuthority, dayMs, firstDay, later } from '../../../support/authority-states.ts';

const lifetimeDays = 365;
const { certPem } = anAuthority({ rootLifetimeMs: lifetimeDays * dayMs }).roots.current;
const { roots = [] } = readTrustedRoots('roots', certPem, firstDay);

interface Changes {
  readonly bundle?: Partial<ForeignBundle>;
  readonly contested?: readonly ContestedCopy[];
  readonly afterDays?: number;
  readonly request?: string;
  readonly behind?: readonly Blocker[];
}

function statement({ bundle = {}, contested = [], afterDays = 0, request, behind = [] }: Changes = {}) {
  const whole = { configMap: 'istio-system/roots', keeper: 'The authority at ca:443', roots, ...bundle };
  return externalStatement({ bundle: whole, contested, behind }, { now: later(afterDays * dayMs), request });
}

describe('TrustHealthy of an external authority', () => {
  test('says until when its roots are valid, and who issues', () => {
    expect(statement()).toMatchObject({ status: 'True', reason: 'Healthy' });
    expect(statement().message).toContain('until 2027-01-10T12:00:00.000Z. The authority at ca:443 issues');
  });

  test('says to whoever asks for a rotation that it is not ours to do', () => {
    const { status, message } = statement({ request: 'root/1' });

    expect(status).toBe('True');
    expect(message).toContain('Annotation meshoperator.dev/rotate has no effect');
  });

  test('names a proxy that holds up the answer to the cluster with the istiod', () => {
    const pod = { gate: 'Proxies', what: 'pod app/client', why: 'does not trust a root' } as const;
    const { status, message } = statement({ behind: [pod, { ...pod, what: 'pod app/other' }] });

    expect(status).toBe('True');
    expect(message).toContain('It waits for proxies here: pod app/client does not trust a root (and 1 more)');
  });

  test('warns when 30 days are left', () => {
    expect(statement({ afterDays: lifetimeDays - 31 }).reason).toBe('Healthy');
    expect(statement({ afterDays: lifetimeDays - 30 })).toMatchObject({
      status: 'False',
      reason: 'RootEndsSoon',
    });
  });

  test('says when nothing verifies any more', () => {
    const { reason, message } = statement({ afterDays: lifetimeDays, bundle: { problem: 'it has expired' } });

    expect(reason).toBe('Expired');
    expect(message).toContain('The authority at ca:443 has to bring another');
  });

  test('says what is wrong with a bundle, and that the last good one stays', () => {
    expect(statement({ bundle: { problem: 'ConfigMap a/b fails lint' } })).toMatchObject({
      status: 'False',
      reason: 'BundleRefused',
      message: 'ConfigMap a/b fails lint. The roots in use stay',
    });
  });

  test('names copies that others change back, and who', () => {
    const contested = ['a', 'b', 'c', 'd', 'e'].map((namespace) => ({ namespace, by: 'istio-csr' }));

    const { reason, message } = statement({ contested });

    expect(reason).toBe('BundleContested');
    expect(message).toContain('in namespace a by istio-csr, b by istio-csr, c by istio-csr and 2 more');
  });
});
