import { describe, expect, test } from 'vitest';
import type { MtlsMode, ResolvedPeerPolicy } from '../../../../src/api/resolved-security.ts';
import {
  heldPolicies,
  isStrict,
  type PeerPlace,
  peerPoliciesIn,
  placesOf,
  placeText,
} from '../../../../src/controllers/mesh/peer-strictness.ts';

const rootNamespace = 'istio-system';
const labels = { app: 'db' };
const db: PeerPlace = { namespace: 'shop', labels };
const dbPort: PeerPlace = { ...db, port: 9187 };
const shop: PeerPlace = { namespace: 'shop' };

const of = (...policies: ResolvedPeerPolicy[]) => ({ policies, rootNamespace });
const ofMesh = (mode: MtlsMode) => ofNamespace(rootNamespace, mode);
const ofNamespace = (namespace: string, mode: MtlsMode) => ({ name: 'default', namespace, mode, ports: [] });
const ofDb = (parts: Partial<ResolvedPeerPolicy>) => ({
  name: 'db',
  namespace: 'shop',
  labels,
  ports: [],
  ...parts,
});

describe('a place takes mutual TLS alone', () => {
  test.each<[string, ResolvedPeerPolicy[], PeerPlace, boolean]>([
    ['where no policy says so: not', [], {}, false],
    ['where that of the mesh says so', [ofMesh('STRICT')], {}, true],
    ['where the mesh says so, and nothing narrower', [ofMesh('STRICT')], shop, true],
    [
      'where its namespace says otherwise: not',
      [ofMesh('STRICT'), ofNamespace('shop', 'PERMISSIVE')],
      db,
      false,
    ],
    ['where its namespace alone says so', [ofNamespace('shop', 'STRICT')], db, true],
    ['where another namespace says so: not', [ofNamespace('other', 'STRICT')], shop, false],
    ['where the workload says so', [ofMesh('DISABLE'), ofDb({ mode: 'STRICT' })], db, true],
    [
      'where its port says otherwise: not',
      [ofMesh('STRICT'), ofDb({ ports: [{ port: 9187, mode: 'DISABLE' }] })],
      dbPort,
      false,
    ],
    [
      'where a port of it says otherwise, at all others',
      [ofMesh('STRICT'), ofDb({ ports: [{ port: 9187, mode: 'DISABLE' }] })],
      db,
      true,
    ],
    [
      'where a port alone says so',
      [ofDb({ mode: 'PERMISSIVE', ports: [{ port: 9187, mode: 'STRICT' }] })],
      dbPort,
      true,
    ],
    [
      'where a policy with labels in the root namespace says so, which Istio does not look at: not',
      [{ name: 'db', namespace: rootNamespace, labels, mode: 'STRICT', ports: [] }],
      { namespace: rootNamespace, labels },
      false,
    ],
  ])('%s', (_what, policies, place, expected) => {
    expect(isStrict(of(...policies), place)).toBe(expected);
  });

  test('where that is known, whatever became of the policy, and wherever nothing narrower says otherwise', () => {
    const known = new Set(['*']);

    expect(isStrict(of(ofMesh('PERMISSIVE')), {}, known)).toBe(true);
    expect(isStrict(of(), shop, known)).toBe(true);
    expect(isStrict(of(ofNamespace('shop', 'PERMISSIVE')), shop, known)).toBe(false);
  });
});

test('places are those of all policies, once, the widest first, and have a text each', () => {
  const wanted = of(ofDb({ ports: [{ port: 9187, mode: 'DISABLE' }] }), ofNamespace('shop', 'STRICT'));
  const observed = of(ofNamespace('legacy', 'PERMISSIVE'), ofNamespace('shop', 'STRICT'));

  expect(placesOf(wanted, observed).map(placeText)).toEqual([
    ...['*', 'shop', 'legacy'],
    ...['shop app=db', 'shop app=db port 9187'],
  ]);
  expect(placeText({ namespace: 'a', labels: { b: '1', a: '2' } })).toBe('a a=2,b=1');
});

describe('policies that are held', () => {
  test.each<[string, ResolvedPeerPolicy[], ResolvedPeerPolicy[], PeerPlace[], ResolvedPeerPolicy[]]>([
    ['take plaintext where they would not', [ofMesh('STRICT')], [], [{}], [ofMesh('PERMISSIVE')]],
    [
      'leave the others as they are wanted',
      [ofMesh('STRICT'), ofNamespace('shop', 'STRICT')],
      [ofMesh('STRICT')],
      [shop],
      [ofMesh('STRICT'), ofNamespace('shop', 'PERMISSIVE')],
    ],
    [
      'stay where they are wanted no longer',
      [ofMesh('STRICT')],
      [ofMesh('STRICT'), ofNamespace('shop', 'DISABLE')],
      [shop],
      [ofMesh('STRICT'), ofNamespace('shop', 'PERMISSIVE')],
    ],
    [
      'stay with their selector where that changes',
      [ofDb({ labels: { app: 'other' }, mode: 'PERMISSIVE' }), ofMesh('STRICT')],
      [ofDb({ mode: 'PERMISSIVE' })],
      [db],
      [ofDb({ mode: 'PERMISSIVE' }), ofMesh('STRICT')],
    ],
    [
      'keep the mode of a workload beside that of its port',
      [ofDb({ mode: 'STRICT', ports: [{ port: 1, mode: 'STRICT' }] })],
      [],
      [{ ...db, port: 1 }],
      [ofDb({ mode: 'STRICT', ports: [{ port: 1, mode: 'PERMISSIVE' }] })],
    ],
    [
      'keep a port whose exception is wanted no longer',
      [ofDb({ mode: 'STRICT', ports: [{ port: 9999, mode: 'DISABLE' }] })],
      [ofDb({ mode: 'STRICT', ports: [{ port: 9187, mode: 'PERMISSIVE' }] })],
      [dbPort],
      [
        ofDb({
          mode: 'STRICT',
          ports: [
            { port: 9187, mode: 'PERMISSIVE' },
            { port: 9999, mode: 'DISABLE' },
          ],
        }),
      ],
    ],
  ])('%s', (_what, wanted, observed, held, expected) => {
    const policies = heldPolicies(of(...wanted), of(...observed), held);

    expect(policies).toEqual(expected);
    for (const place of held) expect(isStrict(of(...policies), place)).toBe(false);
  });
});

test('a PeerAuthentication says what a setting does, and other kinds nothing', () => {
  const metadata = { name: 'db', namespace: 'shop' };
  const spec = {
    selector: { matchLabels: labels },
    mtls: { mode: 'UNSET' },
    portLevelMtls: { 9187: { mode: 'DISABLE' }, 1: { mode: 'UNSET' } },
  };
  const apiVersion = 'security.istio.io/v1';

  expect(
    peerPoliciesIn([
      { apiVersion, kind: 'PeerAuthentication', metadata, spec },
      { apiVersion, kind: 'AuthorizationPolicy', metadata, spec },
      { apiVersion, kind: 'PeerAuthentication', metadata: { name: 'default', namespace: 'shop' } },
    ]),
  ).toEqual([
    ofDb({ ports: [{ port: 9187, mode: 'DISABLE' }] }),
    { name: 'default', namespace: 'shop', ports: [] },
  ]);
});
