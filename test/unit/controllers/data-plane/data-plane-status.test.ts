import { describe, expect, it } from 'vitest';
import {
  dataPlaneStatus,
  leastStatusIntervalMs,
  proxiesStatement,
} from '../../../../src/controllers/data-plane/data-plane-status.ts';
import type { Findings } from '../../../../src/controllers/data-plane/findings.ts';
import { aPodRecord } from '../../../support/pod-records.ts';

const well: Findings = { injected: 3, outdated: 0, bare: [], revisions: [] };
const bare = (count: number) => ({
  ...well,
  bare: Array.from({ length: count }, (_, at) => aPodRecord({ name: `pod-${at}` })),
});

describe('what the status says of pods', () => {
  it('names up to ten pods without a sidecar', () => {
    expect(dataPlaneStatus(well)).toEqual({ barePods: 0, outdatedPods: 0 });
    const { barePods, examples = [] } = dataPlaneStatus(bare(30));
    expect(barePods).toBe(30);
    expect(examples).toHaveLength(10);
    expect(examples[0]).toBe('app/pod-0');
  });

  it('is true while all are well, and says first what is worse', () => {
    expect(proxiesStatement(well, [])).toMatchObject({ status: 'True', reason: 'UpToDate' });
    expect(proxiesStatement({ ...well, outdated: 1 }, [])).toMatchObject({
      status: 'False',
      reason: 'OutdatedProxies',
      message: expect.stringContaining('of 1 pod is older'),
    });
    expect(proxiesStatement({ ...bare(1), outdated: 2 }, [])).toMatchObject({
      status: 'False',
      reason: 'BarePods',
      message: '1 pod should have a sidecar and has none, such as app/pod-0',
    });
  });

  it('says which pods a disruption budget keeps', () => {
    expect(proxiesStatement(bare(2), ['app/pod-1']).message).toContain(
      'a disruption budget keeps app/pod-1 from being evicted now',
    );
  });

  it('is written at once when its kind changes, and every ten seconds when only its counts do', () => {
    const part = (findings: Findings) => ({
      dataPlane: dataPlaneStatus(findings),
      conditions: [{ ...proxiesStatement(findings, []), lastTransitionTime: '2026-01-01T00:00:00Z' }],
    });

    expect(leastStatusIntervalMs(part(well), part(bare(1)))).toBe(0);
    expect(leastStatusIntervalMs(part(bare(1)), part(bare(2)))).toBe(10_000);
    expect(leastStatusIntervalMs({}, part(well))).toBe(0);
  });

  it('names who uses which revision: a namespace at once, a count every minute', () => {
    const used = (pods: number, ...namespaces: string[]) => ({
      dataPlane: dataPlaneStatus({ ...well, revisions: [{ name: 'default', pods, namespaces }] }),
    });

    expect(used(3, 'a', 'b').dataPlane.revisions).toEqual([
      { name: 'default', pods: 3, namespaces: ['a', 'b'] },
    ]);
    expect(leastStatusIntervalMs(used(3, 'a'), used(4, 'a', 'b'))).toBe(0);
    expect(leastStatusIntervalMs(used(3, 'a'), used(4, 'a'))).toBe(60_000);
  });
});
