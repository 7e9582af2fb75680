import { describe, expect, it } from 'vitest';
import { renderNftTable } from '../../../cluster/network-policy/nft-table.ts';
import type { Allow } from '../../../cluster/network-policy/pod-rules.ts';

describe('renderNftTable', () => {
  it('removes the table when no pod is selected', () => {
    expect(renderNftTable([])).toBe('table ip network-policy\ndelete table ip network-policy\n');
  });

  it('replaces the table in one transaction, with a chain for each pod and direction', () => {
    const table = renderNftTable([
      { direction: 'egress', pod: 'x/web', address: '10.244.0.2', allows: [] },
      {
        direction: 'ingress',
        pod: 'x/web',
        address: '10.244.0.2',
        allows: [
          {
            peers: { kind: 'addresses', addresses: ['10.244.0.3', '10.244.0.4'] },
            ports: { kind: 'range', protocol: 'tcp', first: 80, last: 80 },
          },
        ],
      },
    ]);

    expect(table).toBe(
      [
        'table ip network-policy',
        'delete table ip network-policy',
        'table ip network-policy {',
        '\tchain input {',
        '\t\ttype filter hook input priority filter - 10; policy accept;',
        '\t\tct state established,related accept',
        '\t\tip saddr vmap { 10.244.0.2 : jump egress_10_244_0_2 }',
        '\t}',
        '',
        '\tchain forward {',
        '\t\ttype filter hook forward priority filter - 10; policy accept;',
        '\t\tct state established,related accept',
        '\t\tip saddr vmap { 10.244.0.2 : jump egress_10_244_0_2 }',
        '\t\tip daddr vmap { 10.244.0.2 : jump ingress_10_244_0_2 }',
        '\t}',
        '',
        '\tchain egress_10_244_0_2 {',
        '\t\t# x/web',
        '\t\tip daddr 10.244.0.2 return',
        '\t\tcounter drop',
        '\t}',
        '',
        '\tchain ingress_10_244_0_2 {',
        '\t\t# x/web',
        '\t\tip saddr 10.244.0.2 return',
        '\t\tip saddr { 10.244.0.3, 10.244.0.4 } tcp dport 80 return',
        '\t\tcounter drop',
        '\t}',
        '}',
        '',
      ].join('\n'),
    );
  });

  const anyPort = { kind: 'any' } as const;
  const anyPeer = { kind: 'any' } as const;

  it.each<{ name: string; allow: Allow; rule: string | undefined }>([
    { name: 'everything', allow: { peers: anyPeer, ports: anyPort }, rule: 'return' },
    {
      name: 'a range of ports',
      allow: { peers: anyPeer, ports: { kind: 'range', protocol: 'udp', first: 80, last: 90 } },
      rule: 'udp dport 80-90 return',
    },
    {
      name: 'a whole protocol',
      allow: { peers: anyPeer, ports: { kind: 'protocol', protocol: 'sctp' } },
      rule: 'meta l4proto sctp return',
    },
    {
      name: 'a block with exceptions that overlap',
      allow: {
        peers: { kind: 'block', cidr: '10.0.0.0/8', except: ['10.1.0.0/16', '10.1.2.0/24'] },
        ports: anyPort,
      },
      rule: 'ip saddr 10.0.0.0/8 ip saddr != 10.1.0.0/16 ip saddr != 10.1.2.0/24 return',
    },
    {
      name: 'all of IPv4 without an exception',
      allow: { peers: { kind: 'block', cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] }, ports: anyPort },
      rule: 'ip saddr != 10.0.0.0/8 return',
    },
    {
      name: 'a block of IPv6, which no IPv4 packet is in',
      allow: { peers: { kind: 'block', cidr: '::/0', except: [] }, ports: anyPort },
      rule: undefined,
    },
    {
      name: 'selectors that find no pod',
      allow: { peers: { kind: 'addresses', addresses: [] }, ports: anyPort },
      rule: undefined,
    },
  ])('writes the rule for $name', ({ allow, rule }) => {
    const table = renderNftTable([
      { direction: 'ingress', pod: 'x/web', address: '10.244.0.2', allows: [allow] },
    ]);

    const chain = table.slice(table.indexOf('chain ingress_10_244_0_2'));
    const lines = chain
      .split('\n')
      .slice(3, -3)
      .map((line) => line.trim());
    expect(lines.filter((line) => line !== 'counter drop')).toEqual(rule === undefined ? [] : [rule]);
  });
});
