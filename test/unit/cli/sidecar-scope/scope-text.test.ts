import { expect, test } from 'vitest';
import type { Paint } from '../../../../src/cli/paint.ts';
import { scopeText } from '../../../../src/cli/sidecar-scope/scope-text.ts';
import { suggestScopes } from '../../../../src/cli/sidecar-scope/suggest-scopes.ts';
import {
  aCall,
  anIstioObject,
  aScopeCluster,
  aScopedService,
  aScopedWorkload,
  aTraffic,
} from '../../../support/scope-cluster.ts';

const plain: Paint = (_style, text) => text;

test('a person reads what was seen, what each proxy would know, and for whom there is none', () => {
  const cluster = aScopeCluster({
    workloads: [aScopedWorkload('shop', 'client'), aScopedWorkload('dark', 'lonely')],
    services: ['shop/web', 'bank/ledger', 'bank/audit', 'other/a'].map((name) => {
      const [namespace = '', service = ''] = name.split('/');
      return aScopedService(namespace, service);
    }),
    istioObjects: [
      anIstioObject('Sidecar', 'shop', 'mine', {
        egress: [{ hosts: ['./*', 'bank/audit.bank.svc.cluster.local', 'other/*'] }],
      }),
    ],
  });
  const traffic = aTraffic([aCall('shop/client', 'bank/ledger.bank.svc.cluster.local', 12)]);

  const text = scopeText(suggestScopes(cluster, traffic, { per: 'namespace' }), traffic, plain);

  expect(text).toBe(`Calls from 2026-01-01T00:00:00.000Z to 2026-01-08T00:00:00.000Z

Sidecar shop/mine, for client
  A proxy knows:
    services   3 -> 2  33 % less
    clusters   3 -> 2  33 % less
    endpoints  3 -> 2  33 % less
  Egress hosts: ./*, istio-system/*, bank/ledger.bank.svc.cluster.local
  Left out: 1 of bank, 1 of other
  Calls seen, by workload and service:
    client  ledger.bank.svc.cluster.local  12
  In force now: Sidecar shop/mine
    has and nobody called: bank/audit.bank.svc.cluster.local, other/*
    has not and was called: bank/ledger.bank.svc.cluster.local

No suggestion
  dark (lonely): there are no metrics of lonely, so nobody knows what is called from there
`);
});
