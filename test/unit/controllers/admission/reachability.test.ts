import { describe, expect, it } from 'vitest';
import { determineReachability } from '../../../../src/controllers/admission/reachability.ts';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));

const determine = (facts: Partial<Parameters<typeof determineReachability>[0]>) =>
  determineReachability({
    readyReplicas: 2,
    isConfigured: true,
    reachedAt: at(10),
    lastRefusalAt: undefined,
    isCertificateNew: false,
    ...facts,
  });

describe('determineReachability', () => {
  it('holds what a self-test has shown, so that an injector at rest is asked nothing', () => {
    expect(determine({})).toEqual({ kind: 'reached' });
    expect(determine({ lastRefusalAt: at(9) })).toEqual({ kind: 'reached' });
  });

  it.each([
    ['no self-test has ever succeeded', { reachedAt: undefined }],
    ['a pod was refused since the last one', { lastRefusalAt: at(11) }],
    ['the certificate was replaced since the last one', { isCertificateNew: true }],
  ])('asks for a self-test when %s', (_when, facts) => {
    expect(determine(facts)).toEqual({ kind: 'unproven' });
  });

  it('takes the word of a self-test', () => {
    const test = { kind: 'unreached', message: 'The API server says: timeout' } as const;

    expect(determine({ test })).toMatchObject({ kind: 'unreached', reason: 'Unreachable' });
    expect(determine({ reachedAt: undefined, test: { kind: 'reached' } })).toEqual({ kind: 'reached' });
  });

  it.each([
    ['NotDeployed', { readyReplicas: undefined }],
    ['NoReplica', { readyReplicas: 0 }],
    ['NotConfigured', { isConfigured: false }],
  ])('knows without a self-test that nobody answers: %s', (reason, facts) => {
    expect(determine(facts)).toMatchObject({ kind: 'unreached', reason });
  });
});
