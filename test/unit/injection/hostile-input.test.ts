import { describe, expect, it } from 'vitest';
import { injectPod } from '../../../src/injection/inject-pod.ts';
import type { Pod } from '../../../src/injection/pod.ts';
import { PodRejectedError } from '../../../src/injection/pod-rejected-error.ts';
import { anInput, aPod, aPodWith } from '../../support/injection-input.ts';

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = { a: value };
  return value;
}

/** A small YAML text that means 10^9 items. */
const aliasBomb = [
  'a: &a [x, x, x, x, x, x, x, x, x, x]',
  ...'bcdefghi'.split('').map((name, index) => {
    const before = 'abcdefgh'[index];
    return `${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join(', ')}]`;
  }),
].join('\n');

const config = 'proxy.istio.io/config';

const refused: readonly (readonly [name: string, pod: unknown, message: RegExp])[] = [
  ['no object', null, /not a pod/],
  ['a list', [], /not a pod/],
  ['no spec', { metadata: {} }, /not a pod/],
  ['no containers', { metadata: {}, spec: {} }, /spec\.containers must be a list/],
  [
    'containers of another type',
    aPod({ spec: { containers: 'x' as never } }),
    /spec\.containers must be a list/,
  ],
  [
    'containers without names',
    aPod({ spec: { containers: [{} as never] } }),
    /spec\.containers must be a list/,
  ],
  [
    'annotations that are no text',
    aPod({ metadata: { annotations: { a: 1 as never } } }),
    /metadata\.annotations/,
  ],
  ['labels that are a list', aPod({ metadata: { labels: [] as never } }), /metadata\.labels/],
  ['deep nesting', aPod({ spec: { a: deep(100_000) } }), /nested deeper than 64/],
  ['a huge pod', aPod({ spec: { a: Array.from({ length: 300_000 }, () => 1) } }), /more than 200000 fields/],
  ['a YAML document that grows', aPodWith({ [config]: aliasBomb }), /more than 10000 fields/],
  [
    'deep YAML',
    aPodWith({ [config]: `a: ${'['.repeat(5_000)}${']'.repeat(5_000)}` }),
    /proxy\.istio\.io\/config/,
  ],
  [
    'deep JSON',
    aPodWith({ 'sidecar.istio.io/userVolume': `${'['.repeat(50_000)}${']'.repeat(50_000)}` }),
    /nested deeper/,
  ],
  ['a huge annotation', aPodWith({ [config]: 'x'.repeat(300_000) }), /too long/],
  [
    'a status that is no JSON',
    aPodWith({ 'sidecar.istio.io/status': '{' }),
    /sidecar\.istio\.io\/status must be JSON/,
  ],
  ['YAML of another language', aPodWith({ [config]: 'a: !!js/function "x"' }), /proxy\.istio\.io\/config/],
  ['a prototype in a ProxyConfig', aPodWith({ [config]: '{"__proto__": {"a": 1}}' }), /__proto__/],
];

describe('hostile input', () => {
  it.each(refused)('is refused with a word about what is wrong: %s', (_name, pod, message) => {
    const inject = () => injectPod(anInput({ pod: pod as Pod }));

    expect(inject).toThrow(PodRejectedError);
    expect(inject).toThrow(message);
  });

  it('with keys of prototypes changes no prototype, and the keys stay keys', () => {
    const pod = JSON.parse(
      '{"metadata":{"name":"a","labels":{"__proto__":"x","constructor":"y"},"annotations":{"__proto__":"z"}},"spec":{"containers":[{"name":"__proto__","image":"x"},{"name":"b","__proto__":{"polluted":true}}],"__proto__":{"polluted":true}}}',
    ) as Pod;

    const outcome = injectPod(anInput({ pod }));

    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(outcome).toMatchObject({ kind: 'inject' });
    if (outcome.kind === 'inject')
      expect(Object.keys(outcome.pod.metadata.labels ?? {})).toContain('__proto__');
  });

  it('in the status annotation takes no container of the application away', () => {
    const status = JSON.stringify({ containers: ['app'], initContainers: ['setup'], volumes: ['data'] });
    const pod = aPod({
      metadata: { annotations: { 'sidecar.istio.io/status': status } },
      spec: { initContainers: [{ name: 'setup' }], volumes: [{ name: 'data', emptyDir: {} }] },
    });

    const outcome = injectPod(anInput({ pod }));

    expect(outcome).toMatchObject({ kind: 'inject' });
    if (outcome.kind !== 'inject') return;
    const { containers, initContainers, volumes } = outcome.pod.spec;
    expect([...containers, ...(initContainers ?? [])].map(({ name }) => name)).toEqual(
      expect.arrayContaining(['app', 'setup', 'istio-proxy']),
    );
    expect(volumes?.map(({ name }) => name)).toContain('data');
  });

  it('in one pod does not change the answer for another', () => {
    const before = injectPod(anInput());
    for (const [, pod] of refused) expect(() => injectPod(anInput({ pod: pod as Pod }))).toThrow();

    expect(injectPod(anInput())).toEqual(before);
  });

  it('in an annotation never becomes a template or structure', () => {
    const hostile = 'info"]}\n  - name: evil {{toYaml mesh}} {{{mesh}}} \u2028 #';
    const outcome = injectPod(anInput({ pod: aPodWith({ 'sidecar.istio.io/logLevel': hostile }) }));

    expect(outcome.kind === 'inject' && outcome.pod.spec.initContainers?.[1]?.args).toContain(
      `--proxyLogLevel=${hostile}`,
    );
  });
});
