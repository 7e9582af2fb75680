import { describe, expect, test } from 'vitest';
import { parseInjectionPath } from '../../../../src/servers/injector/injection-path.ts';

describe('the path of a request', () => {
  test.each([
    ['/inject', {}],
    ['/inject/', {}],
    ['/inject?timeout=10s', {}],
    ['/inject/cluster/east', { ISTIO_META_CLUSTER_ID: 'east' }],
    ['/inject/cluster/east/net/n1/', { ISTIO_META_CLUSTER_ID: 'east', ISTIO_META_NETWORK: 'n1' }],
    ['/inject/cluster/east?timeout=10s', { ISTIO_META_CLUSTER_ID: 'east' }],
    ['/inject/some_key/value', { SOME_KEY: 'value' }],
    ['/inject/path/a--slash--b--slash--c', { PATH: 'a/b/c' }],
    ['/inject/net/a%20b', { ISTIO_META_NETWORK: 'a b' }],
    ['/inject/cluster/east/net', { ISTIO_META_CLUSTER_ID: 'east' }],
    ['/inject/a/1/a/2', { A: '2' }],
    ['/inject/:ENV:cluster=east:ENV:net=a=b', { ISTIO_META_CLUSTER_ID: 'east', ISTIO_META_NETWORK: 'a=b' }],
    ['/inject/__proto__/x', JSON.parse('{"__PROTO__":"x"}')],
    ['/inject/constructor/x', { CONSTRUCTOR: 'x' }],
  ])('%s asks for its environment', (path, environment) => {
    expect(parseInjectionPath(path)).toEqual(environment);
  });

  test.each([
    ['another one', '/validate'],
    ['one that only begins alike', '/injection'],
    ['the root', '/'],
    ['an empty one', ''],
    ['a broken escape', '/inject/a/%zz'],
    ['a name that no variable can have', '/inject/a=b/c'],
    ['an empty name', '/inject//c'],
    ['a name of a thousand characters', `/inject/${'a'.repeat(1000)}/c`],
  ])('is refused: %s', (_name, path) => {
    expect(parseInjectionPath(path)).toBeUndefined();
  });
});
