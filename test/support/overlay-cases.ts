/** One patch of the object below, and what becomes of the part of it that the patch speaks of. */
export interface OverlayCase {
  readonly path: string;
  readonly value?: unknown;
  /** Path without lists, and what is there afterwards; undefined when nothing is. */
  readonly gives: readonly [place: string, value: unknown];
}

/** An object with everything that a path can meet. */
export const patchedObject = {
  apiVersion: 'example.com/v1',
  kind: 'Thing',
  metadata: { name: 'thing', annotations: { 'example.com/a.b': '1' } },
  spec: {
    number: 1,
    text: 's',
    nothing: null,
    empty: [],
    args: ['--log=info', '--zone=a.example.com', '8080'],
    numbers: [80, 8080],
    items: [
      { name: 'one', count: 1, inner: { key: 'v' } },
      { name: 'two.x', count: 2, ports: [{ port: 1 }] },
      { name: 'three', count: 3, on: true },
    ],
    nested: [['a', 'b'], ['c']],
  },
} as const;

/** Patches that Istio and we understand in the same way. */
export const agreedCases: readonly OverlayCase[] = [
  { path: 'spec.number', value: 5, gives: ['spec.number', 5] },
  { path: 'spec.number', value: 0, gives: ['spec.number', 0] },
  { path: 'spec.number', value: false, gives: ['spec.number', false] },
  { path: 'spec.number', value: '', gives: ['spec.number', ''] },
  { path: 'spec.number', value: {}, gives: ['spec.number', {}] },
  { path: 'spec.number', gives: ['spec.number', undefined] },
  { path: '.spec.number.', value: 5, gives: ['spec.number', 5] },
  { path: 'spec..number', value: 5, gives: ['spec.number', 5] },
  { path: 'spec.added', value: 1, gives: ['spec.added', 1] },
  { path: 'spec.added', value: { a: [1] }, gives: ['spec.added', { a: [1] }] },
  { path: 'spec.added.on.the.way', value: 1, gives: ['spec.added', { on: { the: { way: 1 } } }] },
  { path: 'spec.nothing.below', value: 1, gives: ['spec.nothing', { below: 1 }] },
  { path: 'spec.text', value: '{"a": 1}', gives: ['spec.text', '{"a": 1}'] },
  { path: 'spec.added', value: 'a: b', gives: ['spec.added', { a: 'b' }] },
  { path: 'spec.added', value: 'a: 1\nb:\n  - c\n', gives: ['spec.added', { a: 1, b: ['c'] }] },
  { path: 'spec.added', value: 'not: [a map', gives: ['spec.added', 'not: [a map'] },
  { path: 'spec.added', value: 'http://example.com', gives: ['spec.added', 'http://example.com'] },
  {
    path: 'metadata.annotations.example\\.com/a\\.b',
    value: '2',
    gives: ['metadata.annotations', { 'example.com/a.b': '2' }],
  },
  { path: 'metadata.annotations.example\\.com/a\\.b', gives: ['metadata.annotations', {}] },
  { path: 'metadata.labels.team', value: 'x', gives: ['metadata.labels', { team: 'x' }] },
  {
    path: 'spec.items.[name:one].count',
    value: 9,
    gives: ['spec.items', [{ ...item(0), count: 9 }, item(1), item(2)]],
  },
  {
    path: 'spec.items[name:one].count',
    value: 9,
    gives: ['spec.items', [{ ...item(0), count: 9 }, item(1), item(2)]],
  },
  {
    path: 'spec.items.[name:two\\.x].count',
    value: 9,
    gives: ['spec.items', [item(0), { ...item(1), count: 9 }, item(2)]],
  },
  {
    path: 'spec.items.[count:3].count',
    value: 9,
    gives: ['spec.items', [item(0), item(1), { ...item(2), count: 9 }]],
  },
  {
    path: 'spec.items.[on:true].on',
    value: false,
    gives: ['spec.items', [item(0), item(1), { ...item(2), on: false }]],
  },
  {
    path: 'spec.items.[name:one]',
    value: { name: 'z' },
    gives: ['spec.items', [{ name: 'z' }, item(1), item(2)]],
  },
  { path: 'spec.items.[name:one]', gives: ['spec.items', [item(1), item(2)]] },
  {
    path: 'spec.items.[name:one].inner',
    gives: ['spec.items', [{ name: 'one', count: 1 }, item(1), item(2)]],
  },
  {
    path: 'spec.items.[name:one].inner.key',
    gives: ['spec.items', [{ ...item(0), inner: {} }, item(1), item(2)]],
  },
  {
    path: 'spec.items.[name:one].inner',
    value: { n: 1 },
    gives: ['spec.items', [{ ...item(0), inner: { n: 1 } }, item(1), item(2)]],
  },
  {
    path: 'spec.items.[name:two\\.x].ports.[port:1].port',
    value: 2,
    gives: ['spec.items', [item(0), { ...item(1), ports: [{ port: 2 }] }, item(2)]],
  },
  {
    path: 'spec.items.[0].count',
    value: 9,
    gives: ['spec.items', [{ ...item(0), count: 9 }, item(1), item(2)]],
  },
  {
    path: 'spec.items.[+1].count',
    value: 9,
    gives: ['spec.items', [item(0), { ...item(1), count: 9 }, item(2)]],
  },
  {
    path: 'spec.items.[3]',
    value: { name: 'q' },
    gives: ['spec.items', [item(0), item(1), item(2), { name: 'q' }]],
  },
  {
    path: 'spec.items.[-1]',
    value: { name: 'q' },
    gives: ['spec.items', [item(0), item(1), item(2), { name: 'q' }]],
  },
  {
    path: 'spec.items.[-1]',
    value: 'name: q\nvalue: r\n',
    gives: ['spec.items', [item(0), item(1), item(2), { name: 'q', value: 'r' }]],
  },
  {
    path: 'spec.items.[-1].name',
    value: 'q',
    gives: ['spec.items', [item(0), item(1), item(2), { name: 'q' }]],
  },
  { path: 'spec.items', value: [{ name: 'q' }], gives: ['spec.items', [{ name: 'q' }]] },
  { path: 'spec.items', gives: ['spec.items', undefined] },
  {
    path: 'spec.args.[:--log=info]',
    value: '--log=debug',
    gives: ['spec.args', ['--log=debug', arg(1), arg(2)]],
  },
  { path: 'spec.args.[:--log]', value: 'x', gives: ['spec.args', ['x', arg(1), arg(2)]] },
  { path: 'spec.args.[--log=info]', value: 'x', gives: ['spec.args', ['x', arg(1), arg(2)]] },
  { path: 'spec.args.[:--zone=a\\.example\\.com]', value: 'x', gives: ['spec.args', [arg(0), 'x', arg(2)]] },
  { path: 'spec.args.[:^--zone=\\.*com$]', value: 'x', gives: ['spec.args', [arg(0), 'x', arg(2)]] },
  { path: 'spec.args.[:^80]', value: 'x', gives: ['spec.args', [arg(0), arg(1), 'x']] },
  { path: 'spec.args.[:80$]', value: 'x', gives: ['spec.args', [arg(0), arg(1), 'x']] },
  { path: 'spec.args.[:--log=info]', gives: ['spec.args', [arg(1), arg(2)]] },
  { path: 'spec.args.[0]', gives: ['spec.args', [arg(1), arg(2)]] },
  { path: 'spec.args.[-1]', value: 'z', gives: ['spec.args', [arg(0), arg(1), arg(2), 'z']] },
  { path: 'spec.args', value: ['z'], gives: ['spec.args', ['z']] },
  { path: 'spec.numbers.[:80]', value: 1, gives: ['spec.numbers', [1, 8080]] },
  { path: 'spec.empty.[0]', value: 'z', gives: ['spec.empty', ['z']] },
  { path: 'spec.empty.[-1]', value: 'z', gives: ['spec.empty', ['z']] },
  { path: 'spec.nested.[0]', gives: ['spec.nested', [['c']]] },
];

/** Patches with which Istio makes something else of the object, which Kubernetes would refuse, or fails, and why we do not. */
export const betterCases: readonly (OverlayCase & { readonly reason: string })[] = [
  {
    path: 'spec.added.[-1]',
    value: 'a',
    gives: ['spec.added', ['a']],
    reason: 'a list that is not there is made, rather than an object with the key [-1]',
  },
  {
    path: 'spec.added.[0].name',
    value: 'a',
    gives: ['spec.added', [{ name: 'a' }]],
    reason: 'a list that is not there is made, rather than an object with the key [0]',
  },
  {
    path: 'spec.text',
    value: 'a: b',
    gives: ['spec.text', 'a: b'],
    reason: 'what is a text stays one',
  },
  {
    path: 'metadata.annotations.note',
    value: 'a: b',
    gives: ['metadata.annotations', { 'example.com/a.b': '1', note: 'a: b' }],
    reason: 'annotations are texts',
  },
  {
    path: 'metadata.annotations.http://example\\.com/a',
    value: 'x',
    gives: ['metadata.annotations', { 'example.com/a.b': '1', 'http://example.com/a': 'x' }],
    reason: 'a path is no file name, from which slashes could be cleaned away',
  },
  {
    path: 'spec.items.[name:two.x].count',
    value: 9,
    gives: ['spec.items', [item(0), { ...item(1), count: 9 }, item(2)]],
    reason: 'a dot in brackets needs no escape',
  },
  {
    path: 'spec.nested.[0].[1]',
    value: 'z',
    gives: ['spec.nested', [['a', 'z'], ['c']]],
    reason: 'a list in a list is one',
  },
];

/** Patches that name no place; Istio passes over those marked, or appends to a list far behind its end. */
export const refusedCases: readonly {
  readonly path: string;
  readonly value?: unknown;
  readonly says: string;
  readonly istioTakesIt?: true;
}[] = [
  {
    path: 'spec.missing',
    says: 'spec has no missing, so that there is nothing to take away',
    istioTakesIt: true,
  },
  { path: 'spec.missing.below', says: 'spec has no missing', istioTakesIt: true },
  { path: 'spec.args.[-1]', says: 'spec.args has no [-1]' },
  { path: 'spec.args.[7]', says: 'spec.args has 3 items, and no [7]' },
  { path: 'spec.args.[7]', value: 'x', says: 'spec.args has 3 items, and no [7]', istioTakesIt: true },
  {
    path: 'spec.items.[name:four].count',
    value: 1,
    says: 'spec.items has no item [name:four]; there is [name:one], [name:two.x], [name:three]',
  },
  {
    path: 'spec.items.[title:one].count',
    value: 1,
    says: 'there is one without title, one without title, one without title',
  },
  {
    path: 'spec.items.[name:a:b].count',
    value: 1,
    says: 'whose items are named by [key:value], not [name:a:b]',
  },
  { path: 'spec.items.[name].count', value: 1, says: 'whose items are named by [key:value], not [name]' },
  {
    path: 'spec.items.count',
    value: 1,
    says: 'spec.items is a list: name an item of it by [key:value] or [0] before count',
  },
  {
    path: 'spec.args.[:--gone]',
    value: 1,
    says: 'spec.args has no item [:--gone]; there is --log=info, --zone=a.example.com, 8080',
  },
  { path: 'spec.empty.[:x]', value: 1, says: 'spec.empty has no item [:x]; there is none' },
  { path: 'spec.missing.[name:one].count', value: 1, says: 'spec has no list missing', istioTakesIt: true },
  {
    path: 'spec.[name:one]',
    value: 1,
    says: 'spec is no list: [name:one] cannot be an item of it',
    istioTakesIt: true,
  },
  { path: 'spec.number.[0]', value: 1, says: 'spec.number is no list' },
  { path: 'spec.number.below', value: 1, says: 'spec.number is a value, which has nothing below it' },
];

function item(index: 0 | 1 | 2): object {
  return patchedObject.spec.items[index];
}

function arg(index: 0 | 1 | 2): string {
  return patchedObject.spec.args[index];
}
