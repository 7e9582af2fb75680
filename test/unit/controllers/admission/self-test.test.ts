import { describe, expect, it } from 'vitest';
import { judgePod, judgeRefusal } from '../../../../src/controllers/admission/self-test.ts';

const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'sidecar-injector-self-test' } };
const entry = 'self-test.mesh-operator.istio.io';

describe('a self-test', () => {
  it('has reached the injector when the pod came back injected, and not when it came back as it was', () => {
    const annotations = { 'sidecar.istio.io/status': '{}' };

    expect(judgePod({ ...pod, metadata: { ...pod.metadata, annotations } })).toEqual({ kind: 'reached' });
    expect(judgePod(pod)).toMatchObject({ kind: 'unreached' });
  });

  it.each([
    `Cannot create Pod: admission webhook "${entry}" denied the request: no`,
    'Cannot create Pod: pods "x" is forbidden: violates PodSecurity "restricted:latest": NET_ADMIN',
    'Cannot create Pod: pods "x" is forbidden: exceeded quota: small, requested: pods=1',
  ])('has reached the injector when what comes after webhooks refuses the pod: %s', (message) => {
    expect(judgeRefusal(message)).toEqual({ kind: 'reached' });
  });

  it('repeats what the API server says when it could not ask', () => {
    const said = `failed calling webhook "${entry}": failed to call webhook: Post "https://sidecar-injector.istio-system.svc:443/inject?timeout=5s": context deadline exceeded`;

    expect(judgeRefusal(`Cannot create Pod: Internal error occurred: ${said}`)).toEqual({
      kind: 'unreached',
      message: `The API server says: ${said}`,
    });
  });

  it('says nothing of the injector when the pod was refused before, or by another webhook', () => {
    expect(judgeRefusal('Cannot create Pod: serviceaccount "x" not found')).toBeUndefined();
    expect(judgeRefusal('Cannot create Pod: failed calling webhook "other.example.com": x')).toBeUndefined();
  });
});
