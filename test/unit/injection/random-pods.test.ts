import { describe, expect, it } from 'vitest';
import { messageOf } from '../../../src/base/errors.ts';
import { names } from '../../../src/injection/annotation-names.ts';
import { injectPod } from '../../../src/injection/inject-pod.ts';
import type { InjectionInput } from '../../../src/injection/injection-input.ts';
import type { Container, Pod } from '../../../src/injection/pod.ts';
import { PodRejectedError } from '../../../src/injection/pod-rejected-error.ts';
import { applyPatch } from '../../support/apply-patch.ts';
import { anInput } from '../../support/injection-input.ts';
import { aResolvedMesh } from '../../support/resolved-mesh.ts';

const seeds = Array.from({ length: 400 }, (_, seed) => seed);
const injected = ['istio-proxy', 'istio-init', 'istio-validation', 'grpc-bootstrap-init'];

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const values: readonly string[] = [
  ...['true', 'false', '', '*', '0', '15020', '8080', '80,443', '10.0.0.0/8', 'NONE', 'TPROXY', 'REDIRECT'],
  ...['sidecar', 'gateway', 'grpc-agent', 'grpc-simple', 'sidecar,gateway', '100m', '1Gi', 'a/b', 'debug'],
  ...[
    '{"v":{"emptyDir":{}}}',
    '{"v":{"mountPath":"/v"}}',
    'holdApplicationUntilProxyStarts: true',
    '[]',
    '{}',
  ],
  ...[
    '{{toYaml mesh}}',
    '{{{x}}}',
    '"\n- evil',
    '\u2028',
    '__proto__',
    '{"__proto__":{"x":1}}',
    'a: &a [*a]',
  ],
];

function aRandomInput(seed: number): InjectionInput {
  const random = randomOf(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const maybe = (chance: number) => random() < chance;
  const annotations = Object.fromEntries(
    Object.values(names)
      .filter((name) => name !== names.status && maybe(0.05))
      .map((name) => [name, pick(values)]),
  );
  const container = (name: string): Container => ({
    name,
    image: pick(['auto', 'registry.example.com/x:1']),
    ...(maybe(0.4) ? { ports: [{ name: 'http', containerPort: 8080 }] } : {}),
    ...(maybe(0.4) ? { readinessProbe: { httpGet: { port: pick(['http', 8080, 'gone']), path: '/' } } } : {}),
    ...(maybe(0.2)
      ? { livenessProbe: { grpc: { port: 9 } }, lifecycle: { preStop: { tcpSocket: { port: 1 } } } }
      : {}),
    ...(maybe(0.3)
      ? { env: [{ name: 'A', value: 'b' }], volumeMounts: [{ name: 'v', mountPath: '/v' }] }
      : {}),
    ...(maybe(0.2) ? { securityContext: { runAsUser: pick([0, 1000]), runAsGroup: 5 } } : {}),
  });
  const namesOf = (count: number, prefix: string) =>
    Array.from({ length: count }, (_, index) => (maybe(0.1) ? 'istio-proxy' : `${prefix}${index}`)).filter(
      (name, index, all) => all.indexOf(name) === index,
    );
  // A name is used once in a pod: the API server refuses any other.
  const containers = namesOf(1 + Math.floor(random() * 4), 'app');
  const initContainers = namesOf(Math.floor(random() * 3), 'init').filter(
    (name) => !containers.includes(name),
  );
  const pod: Pod = {
    metadata: { name: 'random', labels: { app: 'random' }, annotations },
    spec: {
      containers: containers.map(container),
      ...(maybe(0.5) ? { initContainers: initContainers.map(container) } : {}),
      ...(maybe(0.3) ? { volumes: [{ name: 'v', emptyDir: {} }], futureField: { deep: [1] } } : {}),
    },
  };
  const mesh = aResolvedMesh({ network: pick(['', 'net1']), revision: '' });
  const injection = { ...mesh.injection, cni: { enabled: maybe(0.3), provider: 'default' as const } };
  return anInput({ pod, mesh: { ...mesh, injection }, kubernetesMinor: pick([30, 35]) });
}

/** The outcome, or the message with which the pod is refused; any other error is a bug. */
function outcomeOf(input: InjectionInput) {
  try {
    return injectPod(input);
  } catch (error) {
    if (error instanceof PodRejectedError) return { kind: 'rejected' as const, message: messageOf(error) };
    throw error;
  }
}

const usersOwn = (containers: readonly Container[] | undefined) =>
  (containers ?? []).map(({ name }) => name).filter((name) => !injected.includes(name));

describe('random pods', () => {
  const inputs = seeds.map(aRandomInput);
  const outcomes = inputs.map(outcomeOf);

  it('are injected, skipped and refused, so that they prove something', () => {
    const kinds = new Set(outcomes.map(({ kind }) => kind));

    expect([...kinds].sort()).toEqual(['inject', 'rejected', 'skip']);
    expect(outcomes.filter(({ kind }) => kind === 'inject').length).toBeGreaterThan(60);
  });

  it.each(seeds)('stay as they are, keep their containers in order, and gain nothing twice: %i', (seed) => {
    const input = aRandomInput(seed);
    const outcome = outcomes[seed];
    if (outcome?.kind !== 'inject') return expect(outcome?.kind).toMatch(/skip|rejected/);

    expect(inputs[seed]).toEqual(input);
    expect(applyPatch(input.pod, outcome.patch)).toEqual(JSON.parse(JSON.stringify(outcome.pod)));
    expect(usersOwn(outcome.pod.spec.containers)).toEqual(usersOwn(input.pod.spec.containers));
    expect(usersOwn(outcome.pod.spec.initContainers)).toEqual(usersOwn(input.pod.spec.initContainers));
    expect(outcomeOf({ ...input, pod: outcome.pod })).toMatchObject({ kind: 'inject', patch: [] });
  });
});
