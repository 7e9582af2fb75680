import { describe, expect, it } from 'vitest';
import { injectPod } from '../../../src/injection/inject-pod.ts';
import { uninjectPod } from '../../../src/injection/uninject-pod.ts';
import { injectScenarioNames, readInjectScenario } from '../../golden/inject-scenario.ts';
import { aPod } from '../../support/injection-input.ts';

/** Scenarios whose pods do not come back exactly, and what is left of the injection or lost with it. */
const inexact: Readonly<Record<string, string>> = {
  'mesh-injected-annotations': 'annotations of the mesh stay: the pod does not say whose they are',
  multus: 'the network of the CNI plugin stays in the list of the author',
  'multus-json': 'the network of the CNI plugin stays in the list of the author',
  'network-of-mesh': 'the network stays: it may be the label of the author',
  'pod-pull-secrets': 'a secret that both name is gone',
  probes: 'a named port has become its number, and one that nobody declares stays rewritten',
  'probes-localhost': 'as above',
  'probes-rewritten-by-annotation': 'as above',
  'status-port': 'as above',
  'prometheus-dotted': 'annotations come back in the usual spelling',
  'prometheus-targets': 'annotations come back in the usual spelling',
  'spire-gateway': 'the security context of the pod stays',
  'spire-grpc-agent': 'the annotation about probes may be that of the author',
  'spire-socket-of-user': 'a volume of the author that gave way to the socket of SPIRE is gone',
  'template-alias': 'what a custom template puts into metadata stays',
  'template-custom': 'what a custom template puts into metadata stays',
  'text-cannot-become-structure': 'what a custom template puts into metadata stays',
  'template-gateway': 'the security context of the pod stays',
  'template-grpc-agent': 'the annotation about probes may be that of the author',
  'template-grpc-simple': 'the annotation about probes may be that of the author',
};

describe('a pod that was injected', async () => {
  const injected = (
    await Promise.all(
      (
        await injectScenarioNames()
      ).map(async (name) => {
        const { input } = await readInjectScenario(name);
        try {
          const outcome = injectPod(input);
          return outcome.kind === 'inject' ? [{ name, before: input.pod, pod: outcome.pod }] : [];
        } catch {
          return []; // refused, and so never injected
        }
      }),
    )
  ).flat();

  it.each(injected)('is again what it was: $name', ({ name, before, pod }) => {
    const undone = uninjectPod(pod);

    if (inexact[name] === undefined) expect(undone).toEqual(before);
    else expect(undone).not.toEqual(before);
  });

  it('is left alone when it was not', () => {
    const pod = aPod();

    expect(uninjectPod(pod)).toBe(pod);
  });
});
