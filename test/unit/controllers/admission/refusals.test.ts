import { describe, expect, it } from 'vitest';
import { hostOf, refusalTime } from '../../../../src/controllers/admission/refusals.ts';

const refusal = (message: string, fields: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: 'app.1', namespace: 'app', creationTimestamp: '2026-01-01T00:00:00Z' },
  message,
  ...fields,
});

const post = 'Post "https://sidecar-injector-canary.istio-system.svc:443/inject?timeout=5s": EOF';

describe('an Event about a pod that could not be created', () => {
  it('names the injector that could not be asked', () => {
    const message = `Error creating: Internal error occurred: failed calling webhook "rev.namespace.mesh-operator.istio.io": failed to call webhook: ${post}`;

    expect(hostOf(refusal(message))).toEqual(['sidecar-injector-canary.istio-system.svc']);
  });

  it.each([
    'Error creating: pods "app" is forbidden: exceeded quota',
    `Error creating: failed calling webhook "policy.example.com": failed to call webhook: ${post}`,
  ])('says nothing of an injector when another thing refused it: %s', (message) => {
    expect(hostOf(refusal(message))).toEqual([]);
  });

  it('counts from the last time it happened', () => {
    const lastTimestamp = '2026-01-01T00:05:00Z';

    expect(refusalTime(refusal('x', { lastTimestamp }))).toEqual(new Date(lastTimestamp));
    expect(refusalTime(refusal('x'))).toEqual(new Date('2026-01-01T00:00:00Z'));
  });
});
