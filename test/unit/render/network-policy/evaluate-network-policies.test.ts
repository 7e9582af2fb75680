import { describe, expect, test } from 'vitest';
import type { NetworkPolicySpec } from '../../../../src/api/network-policy.ts';
import {
  type EvaluatedPod,
  NetworkPolicyEvaluator,
  type Packet,
} from '../../../../src/render/network-policy/evaluate-network-policies.ts';

const namespaces = ['shop', 'bank'].map((name) => ({ metadata: { name, labels: { team: name } } }));

function aPod(name: string, podIP: string, fields: Partial<EvaluatedPod> = {}): EvaluatedPod {
  const [namespace = '', app = ''] = name.split('/');
  return {
    metadata: { name: app, namespace, labels: { app } },
    spec: { containers: [{ ports: [{ name: 'http', containerPort: 8080 }] }] },
    status: { podIP, hostIP: '192.168.0.1', phase: 'Running' },
    ...fields,
  };
}

const web = aPod('shop/web', '10.0.0.1');
const pods = [web, aPod('shop/cart', '10.0.0.2'), aPod('bank/vault', '10.0.0.3')];

function policy(spec: NetworkPolicySpec, namespace = 'shop', name = 'policy') {
  return { metadata: { name, namespace }, spec };
}

function judge(
  specs: readonly NetworkPolicySpec[],
  packet: Partial<Packet>,
  worldPods: readonly EvaluatedPod[] = pods,
) {
  const policies = specs.map((spec, index) => policy(spec, 'shop', `p${index}`));
  const evaluator = new NetworkPolicyEvaluator({ policies, namespaces, pods: worldPods });
  return evaluator.judge({ from: '10.0.0.2', to: '10.0.0.1', port: 80, protocol: 'TCP', ...packet });
}

const tcp = (port: number | string, endPort?: number) => ({
  ports: [{ port, ...(endPort === undefined ? {} : { endPort }) }],
});
const cart = { podSelector: { matchLabels: { app: 'cart' } } };

describe('a packet between pods', () => {
  test('passes where no policy selects either', () => {
    expect(judge([], {})).toEqual({
      isAllowed: true,
      egress: { outcome: 'allowed', because: 'not-selected' },
      ingress: { outcome: 'allowed', because: 'not-selected' },
    });
  });

  test.each<[string, NetworkPolicySpec, Partial<Packet>, boolean]>([
    ['an empty pod selector selects every pod of its namespace', { podSelector: {} }, {}, false],
    [
      'a policy means ingress alone where it has no rule for egress',
      { podSelector: {} },
      { from: '10.0.0.1', to: '10.0.0.3' },
      true,
    ],
    [
      'a policy with a rule for egress means both',
      { egress: [tcp(81)] },
      { from: '10.0.0.1', to: '10.0.0.3' },
      false,
    ],
    [
      'an empty list of rules allows nothing',
      { policyTypes: ['Egress'], egress: [] },
      { from: '10.0.0.1', to: '10.0.0.3' },
      false,
    ],
    [
      'a policy for ingress leaves egress alone',
      { policyTypes: ['Ingress'] },
      { from: '10.0.0.1', to: '10.0.0.3' },
      true,
    ],
    ['an empty rule allows everything', { ingress: [{}] }, {}, true],
    ['an empty list of peers means everybody', { ingress: [{ from: [], ...tcp(80) }] }, {}, true],
    ['a pod selector alone means the policy’s own namespace', { ingress: [{ from: [cart] }] }, {}, true],
    ['and no other', { ingress: [{ from: [{ podSelector: {} }] }] }, { from: '10.0.0.3' }, false],
    [
      'a namespace selector alone means all its pods',
      { ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'bank' } } }] }] },
      { from: '10.0.0.3' },
      true,
    ],
    [
      'both in one peer must hold',
      { ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'bank' } }, ...cart }] }] },
      { from: '10.0.0.3' },
      false,
    ],
    [
      'two peers are alternatives',
      { ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'bank' } } }, cart] }] },
      {},
      true,
    ],
    [
      'an empty namespace selector does not mean what is no pod',
      { ingress: [{ from: [{ namespaceSelector: {} }] }] },
      { from: '203.0.113.1' },
      false,
    ],
    [
      'a range means addresses',
      { ingress: [{ from: [{ ipBlock: { cidr: '203.0.113.0/24' } }] }] },
      { from: '203.0.113.1' },
      true,
    ],
    [
      'but for its exceptions',
      { ingress: [{ from: [{ ipBlock: { cidr: '203.0.113.0/24', except: ['203.0.113.0/28'] } }] }] },
      { from: '203.0.113.1' },
      false,
    ],
    ['a range means pods as well', { ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.2/32' } }] }] }, {}, true],
    ['a port means that one over TCP', { ingress: [tcp(80)] }, { protocol: 'UDP' }, false],
    [
      'a port without a number means all of its protocol',
      { ingress: [{ ports: [{ protocol: 'UDP' }] }] },
      { protocol: 'UDP', port: 5353 },
      true,
    ],
    ['a range of ports includes its last', { ingress: [tcp(80, 90)] }, { port: 90 }, true],
    ['and nothing behind', { ingress: [tcp(80, 90)] }, { port: 91 }, false],
    ['a named port is that of the pod', { ingress: [tcp('http')] }, { port: 8080 }, true],
    ['and no other', { ingress: [tcp('http')] }, { port: 80 }, false],
    [
      'on egress it is the receiver’s',
      { policyTypes: ['Egress'], egress: [tcp('http')] },
      { from: '10.0.0.1', to: '10.0.0.3', port: 8080 },
      true,
    ],
    [
      'and addresses have none',
      { policyTypes: ['Egress'], egress: [tcp('http')] },
      { from: '10.0.0.1', to: '203.0.113.1', port: 8080 },
      false,
    ],
    [
      'nor has a pod that is meant by its address',
      { policyTypes: ['Egress'], egress: [{ ...tcp('http'), to: [{ ipBlock: { cidr: '10.0.0.0/24' } }] }] },
      { from: '10.0.0.1', to: '10.0.0.3', port: 8080 },
      false,
    ],
    ['a pod reaches itself', { policyTypes: ['Ingress', 'Egress'] }, { from: '10.0.0.1' }, true],
    ['its own node reaches it', {}, { from: '192.168.0.1' }, true],
    ['another node does not', {}, { from: '192.168.0.2' }, false],
    [
      'it does not reach its node',
      { policyTypes: ['Egress'] },
      { from: '10.0.0.1', to: '192.168.0.1' },
      false,
    ],
  ])('%s', (_, spec, packet, isAllowed) => {
    expect(judge([spec], packet).isAllowed).toBe(isAllowed);
  });

  test('passes by the rule that is named, of the first policy that has one', () => {
    const verdict = judge([{}, { ingress: [tcp(81), { from: [cart] }] }, { ingress: [{}] }], {});

    expect(verdict.ingress).toEqual({
      ...{ outcome: 'allowed', because: 'rule' },
      ...{ policy: 'shop/p1', rule: 'spec.ingress[1]' },
    });
  });

  test('is denied with the names of those that select the pod', () => {
    expect(
      judge([{}, { podSelector: { matchLabels: { app: 'other' } } }, { ingress: [tcp(81)] }], {}).ingress,
    ).toEqual({
      outcome: 'denied',
      policies: ['shop/p0', 'shop/p2'],
    });
  });

  test('must leave one and enter the other', () => {
    const verdict = judge([{ egress: [{}], ingress: [] }], {});

    expect(verdict.egress.outcome).toBe('allowed');
    expect(verdict.ingress.outcome).toBe('denied');
    expect(verdict.isAllowed).toBe(false);
  });
});

describe('a pod', () => {
  test('has no policies on the network of its node', () => {
    const onHost = { ...web, spec: { hostNetwork: true } };

    expect(judge([{}], {}, [onHost]).ingress).toEqual({ outcome: 'allowed', because: 'not-a-pod' });
  });

  test('that has ended has left its address to the next', () => {
    const ended = { ...web, status: { podIP: '10.0.0.1', phase: 'Succeeded' } };

    expect(
      judge([{ podSelector: cart.podSelector }], { from: '10.0.0.3' }, [aPod('shop/cart', '10.0.0.1'), ended])
        .isAllowed,
    ).toBe(false);
  });

  test('may have an address of either family, however it is written', () => {
    const dual = { ...web, status: { podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] } };
    const block = { ingress: [{ from: [{ ipBlock: { cidr: 'fd00:0:0:1::/64' } }] }] };
    const to = 'fd00:0:0:0:0:0:0:1';

    expect(judge([block], { from: 'fd00:0:0:1::9', to }, [dual]).isAllowed).toBe(true);
    expect(judge([block], { from: 'fd00:0:0:2::9', to }, [dual]).isAllowed).toBe(false);
  });
});
