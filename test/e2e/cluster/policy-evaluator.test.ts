import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  NetworkPolicyEvaluator,
  type PolicyWorld,
} from '../../../src/render/network-policy/evaluate-network-policies.ts';
import { renderNftTable } from '../../cluster/network-policy/nft-table.ts';
import { decidePodRules, type PolicyWorld as EnforcedWorld } from '../../cluster/network-policy/pod-rules.ts';
import { ensureDebianPackages } from '../../cluster/toolchain/debian-packages.ts';
import type { Probe } from '../../support/packet-agent.ts';
import {
  nodeAddress,
  type PacketHost,
  type PacketNetwork,
  packetNetwork,
} from '../../support/packet-network.ts';
import { pick, type RandomNumbers, randomNumbers } from '../../support/random.ts';
import { randomPorts, randomWorld } from '../../support/random-policies.ts';

const [seedCount, packetsEach] = [64, 128];
const seeds =
  process.env.POLICY_SEEDS?.split(',').map(Number) ?? Array.from({ length: seedCount }, (_, n) => n + 1);

const podHosts: readonly PacketHost[] = [0, 1, 2, 3, 4, 5].map((host) => ({
  addresses: [`10.77.${host}.1`, `10.77.${host}.2`, `10.77.${host}.3`],
}));
const outside: PacketHost = { addresses: ['192.0.2.1', '192.0.2.129', '198.51.100.1'] };

describe('what the evaluator says of random policies and pods', () => {
  let network: PacketNetwork;
  const verdicts = { allowed: 0, denied: 0 };

  beforeAll(async () => {
    await ensureDebianPackages(['node']);
    network = await packetNetwork([...podHosts, outside], randomPorts);
  });

  afterAll(() => network?.stop());

  test.each(seeds)('is what becomes of real packets behind the enforcer (POLICY_SEEDS=%i)', async (seed) => {
    const random = randomNumbers(seed);
    const world = randomWorld(
      random,
      podHosts.flatMap(({ addresses }) => addresses),
      nodeAddress,
    );
    const evaluator = new NetworkPolicyEvaluator(world);
    const probes = Array.from({ length: packetsEach }, (_, id) => randomProbe(random, id));

    await network.load(renderNftTable(decidePodRules(world as EnforcedWorld)));
    const arrived = await network.send(probes);

    const wrong = probes.flatMap((probe) => {
      const verdict = evaluator.judge(probe);
      verdicts[verdict.isAllowed ? 'allowed' : 'denied']++;
      return verdict.isAllowed === arrived.has(probe.id) ? [] : [explain(world, probe, arrived, verdict)];
    });
    expect(wrong).toEqual([]);
  });

  test('has been both yes and no', () => {
    expect(Math.min(verdicts.allowed, verdicts.denied)).toBeGreaterThan((seeds.length * packetsEach) / 10);
  });
});

/** Between two hosts: a packet that stays on one is not forwarded. */
function randomProbe(random: RandomNumbers, id: number): Probe {
  const hosts: readonly PacketHost[] = [...podHosts, ...podHosts, outside, { addresses: [nodeAddress] }];
  const from = pick(random, hosts);
  const to = pick(
    random,
    hosts.filter((host) => host !== from),
  );
  return {
    id,
    from: pick(random, from.addresses),
    to: pick(random, to.addresses),
    port: pick(random, randomPorts),
    protocol: pick(random, ['TCP', 'UDP']),
  };
}

function explain(world: PolicyWorld, probe: Probe, arrived: ReadonlySet<number>, verdict: object): object {
  const podOf = (address: string) => world.pods.filter(({ status }) => status?.podIP === address);
  return {
    probe,
    arrived: arrived.has(probe.id),
    verdict,
    ...{ from: podOf(probe.from), to: podOf(probe.to), policies: world.policies },
  };
}
