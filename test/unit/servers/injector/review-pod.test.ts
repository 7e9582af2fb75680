import { describe, expect, test } from 'vitest';
import { stableJson } from '../../../../src/base/stable-json.ts';
import type { Pod } from '../../../../src/injection/pod.ts';
import {
  type AdmissionReview,
  answerText,
  MalformedReviewError,
  parseReview,
} from '../../../../src/servers/admission-review.ts';
import { parseInjectorConfiguration } from '../../../../src/servers/injector/injector-configuration.ts';
import { type ReviewOutcome, reviewPod } from '../../../../src/servers/injector/review-pod.ts';
import { aReview } from '../../../support/admission-review.ts';
import { applyPatch } from '../../../support/apply-patch.ts';
import { aPod } from '../../../support/injection-input.ts';
import { pick, type RandomNumbers, randomNumbers } from '../../../support/random.ts';
import { aResolvedMesh } from '../../../support/resolved-mesh.ts';

function decide(
  review: object,
  { mesh = aResolvedMesh() } = {},
): ReviewOutcome & { readonly review: AdmissionReview } {
  const configuration = parseInjectorConfiguration(JSON.stringify({ mesh, kubernetesMinor: 35 }));
  const parsed = parseReview(Buffer.from(JSON.stringify(review)));
  return { ...reviewPod(parsed, { configuration, environment: {} }), review: parsed };
}

describe('the decision about a review', () => {
  test('injects a pod, since the API server has chosen it', () => {
    expect(decide(aReview(aPod()))).toMatchObject({
      decision: 'inject',
      reason: 'Injected',
      answer: { allowed: true, warnings: [] },
    });
  });

  test('never touches what the API server keeps about writers', () => {
    const managedFields = [{ manager: 'kubectl', operation: 'Update' }];

    const { answer } = decide(aReview(aPod({ metadata: { managedFields } })));

    expect(answer.patch?.filter(({ path }) => path.includes('managedFields'))).toEqual([]);
  });

  test.each([
    ['another revision', { 'istio.io/rev': 'other' }, 'Injected'],
    ['no injection', { 'sidecar.istio.io/inject': 'false' }, 'PodOptedOut'],
  ])(
    'about a pod whose label asks for %s is made by the policy of the mesh alone',
    (_name, labels, reason) => {
      expect(decide(aReview(aPod({ metadata: { labels } })))).toMatchObject({ reason });
    },
  );

  test.each([
    ['an update', { operation: 'UPDATE' }],
    ['a subresource', { subResource: 'ephemeralcontainers' }],
    ['another kind', { kind: { group: '', version: 'v1', kind: 'Service' } }],
    ['a kind of that name in another group', { kind: { group: 'example.com', version: 'v1', kind: 'Pod' } }],
    ['no kind', { kind: null }],
  ])('lets %s through, since that is not the creation of a pod', (_name, request) => {
    expect(decide(aReview(aPod(), request))).toMatchObject({
      decision: 'skip',
      reason: 'NoPodCreation',
      answer: { allowed: true },
    });
  });

  test.each([
    ['no pod', null, 'PodRejected', 'not a pod'],
    [
      'a pod with a bad annotation',
      aPodWith('status.sidecar.istio.io/port', 'x'),
      'PodRejected',
      'port number',
    ],
    [
      'a pod that wants a template that is not there',
      aPodWith('inject.istio.io/templates', 'x'),
      'PodRejected',
      '"x"',
    ],
    [
      'a pod whose template of the mesh is broken',
      aPodWith('inject.istio.io/templates', 'own'),
      'InvalidTemplate',
      'own',
    ],
  ])('refuses %s, and says why', (_name, object, reason, message) => {
    const injection = { ...aResolvedMesh().injection, templates: { own: '{{quote pod.gone}}' } };

    const outcome = decide(aReview(object), { mesh: aResolvedMesh({ injection }) });

    expect(outcome).toMatchObject({ decision: 'reject', reason, answer: { allowed: false } });
    expect(outcome.answer.message).toContain(message);
  });

  test.each([
    [
      'a label that says nothing',
      { labels: { 'sidecar.istio.io/inject': 'yes' } },
      'label sidecar.istio.io/inject',
    ],
    [
      'an annotation that says nothing',
      { annotations: { 'sidecar.istio.io/inject': 'yes' } },
      'annotation sidecar.istio.io/inject',
    ],
  ])('warns about %s', (_name, metadata, warning) => {
    expect(decide(aReview(aPod({ metadata }))).answer.warnings).toEqual([expect.stringContaining(warning)]);
  });
});

function aPodWith(annotation: string, value: string): Pod {
  return aPod({ metadata: { annotations: { [annotation]: value } } });
}

const hostileValues: readonly unknown[] = [
  ...[null, true, -1, 1e308, '', 'constructor', '{{x}}', '\u0000', '\ud800', '../../x', 'x'.repeat(10_000)],
  ...[[], {}, [null], [[]], { '': null }, JSON.parse('{"__proto__":{"polluted":true}}')],
  ...[{ constructor: { prototype: { polluted: true } } }, { toString: 1, hasOwnProperty: 1, valueOf: null }],
];
const hostileKeys = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'length',
  '',
  '~1/~0',
  'name',
  'spec',
];

/** A review with a pod that has most of what a pod can have, some of it replaced, removed or added at random. */
function mutatedReview(seed: number): unknown {
  const random = randomNumbers(seed);
  const probe = { httpGet: { port: 'http', path: '/' } };
  const review = aReview(
    aPod({
      metadata: {
        labels: { app: 'a', version: 'v1' },
        annotations: { 'prometheus.io/port': '8080', 'proxy.istio.io/config': 'concurrency: 2', a: 'b' },
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'a-1', uid: 'u', controller: true },
        ],
        generateName: 'a-1-',
      },
      spec: {
        containers: [
          {
            name: 'app',
            image: 'a',
            ports: [{ name: 'http', containerPort: 8080 }],
            env: [{ name: 'A', value: 'b' }],
            readinessProbe: probe,
            lifecycle: { preStop: { httpGet: { port: 8080 } } },
          },
          { name: 'istio-proxy', image: 'auto', securityContext: { runAsUser: 7 } },
        ],
        initContainers: [{ name: 'init', image: 'a', livenessProbe: probe }],
        volumes: [{ name: 'v', emptyDir: {} }],
        securityContext: { runAsUser: 1 },
      },
    }),
  );
  for (let count = 1 + Math.floor(random() * 3); count > 0; count -= 1) {
    const { request } = review as { readonly request?: { readonly object?: object | null } };
    mutate(random, random() < 0.9 ? (request?.object ?? review) : review);
  }
  return review;
}

/** Walks to a random place and changes it. */
function mutate(random: RandomNumbers, document: unknown): void {
  let place = document as Record<string, unknown>;
  for (;;) {
    const key = pick(random, Object.keys(place));
    const inner = place[key];
    const isLeaf = typeof inner !== 'object' || inner === null || Object.keys(inner).length === 0;
    if (!isLeaf && random() < 0.8) {
      place = inner as Record<string, unknown>;
      continue;
    }
    const value = structuredClone(pick(random, hostileValues));
    const kind = random();
    if (kind < 0.2) delete place[key];
    else {
      const target = kind < 0.7 || Array.isArray(place) ? key : pick(random, hostileKeys);
      Object.defineProperty(place, target, { value, enumerable: true, configurable: true, writable: true });
    }
    return;
  }
}

describe('hostile reviews', () => {
  const configuration = parseInjectorConfiguration(
    JSON.stringify({ mesh: aResolvedMesh(), kubernetesMinor: 35 }),
  );
  const answer = (text: string): { text: string; namespace: string; object: unknown; patched: unknown } => {
    const review = parseReview(Buffer.from(text));
    const object = structuredClone(review.request.object);
    const outcome = reviewPod(review, { configuration, environment: {} });
    const answered = answerText(review, outcome.answer);
    const { patch } = JSON.parse(answered).response as { readonly patch?: string };
    const patched =
      patch === undefined
        ? undefined
        : applyPatch(object, JSON.parse(Buffer.from(patch, 'base64').toString()));
    return { text: answered, namespace: review.namespace, object, patched };
  };

  test('get an answer whose patch fits and is whole, or are refused as malformed; others are answered as always', () => {
    const innocent = JSON.stringify(aReview(aPod()));
    const before = answer(innocent).text;
    const kinds = { answered: 0, patched: 0, malformed: 0 };
    const broken: string[] = [];

    for (let seed = 0; seed < 800; seed += 1) {
      const text = JSON.stringify(mutatedReview(seed));
      try {
        const { namespace, object, patched } = answer(text);
        kinds.answered += 1;
        if (patched === undefined) continue;
        kinds.patched += 1;
        const again = answer(JSON.stringify(aReview(patched, { namespace }))).patched;
        // A list whose items have no proper names is replaced by an equal one.
        if (again !== undefined && stableJson(again) !== stableJson(patched)) {
          broken.push(`seed ${seed}: a second injection changes the pod`);
        }
        if (!areEqual(userContainers(object), userContainers(patched))) {
          broken.push(`seed ${seed}: containers were removed or reordered`);
        }
      } catch (error) {
        if (!(error instanceof MalformedReviewError))
          throw new Error(`seed ${seed}: ${text}`, { cause: error });
        kinds.malformed += 1;
      }
    }

    expect(broken).toEqual([]);
    expect(answer(innocent).text).toBe(before);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(kinds.answered).toBeGreaterThan(500);
    expect(kinds.patched).toBeGreaterThan(150);
    expect(kinds.malformed).toBeGreaterThan(10);
  });
});

/** Names of the containers that are not injected, `containers` before `initContainers`. */
function userContainers(pod: unknown): string[] {
  const { spec } = pod as Pod;
  return [...spec.containers, ...(spec.initContainers ?? [])]
    .map(({ name }) => name)
    .filter((name) => !['istio-proxy', 'istio-init', 'istio-validation'].includes(name));
}

function areEqual(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((name, at) => name === right[at]);
}
