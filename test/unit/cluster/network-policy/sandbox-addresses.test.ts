import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PolicyPod } from '../../../cluster/network-policy/policy-objects.ts';
import {
  readSandboxAddresses,
  readSandboxes,
  withSandboxAddresses,
} from '../../../cluster/network-policy/sandbox-addresses.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sandboxes-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

describe('readSandboxAddresses', () => {
  it('reads the IPv4 address of each pod, by its UID', async () => {
    await writeResult('pods-1-eth0', { uid: 'a', addresses: ['10.244.0.5/24'] });
    await writeResult('pods-2-eth0', { uid: 'b', addresses: ['fd00::6/64', '10.244.0.6/24'] });

    expect(Object.fromEntries(await readSandboxAddresses(folder))).toEqual({
      a: '10.244.0.5',
      b: '10.244.0.6',
    });
  });

  it('takes the newest sandbox of a pod that has several', async () => {
    await writeResult('pods-9-eth0', { uid: 'a', addresses: ['10.244.0.5/24'], writtenAt: 1 });
    await writeResult('pods-1-eth0', { uid: 'a', addresses: ['10.244.0.6/24'], writtenAt: 2 });

    expect((await readSandboxAddresses(folder)).get('a')).toBe('10.244.0.6');
  });

  it('leaves out loopback interfaces, other users of the network, and files that are being written', async () => {
    await writeResult('cni-loopback-1-lo', { uid: 'a', addresses: ['127.0.0.1/8'] });
    await writeResult('pods-2-eth0', { addresses: ['10.244.0.7/24'] });
    await writeFile(path.join(folder, 'pods-3-eth0'), '{"cniArgs":[["K8S_POD');
    await writeFile(path.join(folder, 'pods-4-eth0'), '');

    expect((await readSandboxAddresses(folder)).size).toBe(0);
  });
});

describe('readSandboxes', () => {
  it('says in which network namespace a pod is', async () => {
    await writeResult('pods-1-eth0', { uid: 'a', addresses: ['10.244.0.5/24'], sandbox: '/run/netns/one' });

    expect((await readSandboxes(folder)).get('a')?.networkNamespace).toBe('/run/netns/one');
  });
});

describe('withSandboxAddresses', () => {
  it('puts the address of the sandbox in place of what the status says, or does not say yet', () => {
    const pods = [aPod('starting'), aPod('restarted', '10.244.0.1'), aPod('elsewhere', '10.244.0.2')];

    const completed = withSandboxAddresses(
      pods,
      new Map([
        ['starting', '10.244.0.8'],
        ['restarted', '10.244.0.9'],
      ]),
    );

    expect(completed.map(({ status }) => status?.podIP)).toEqual(['10.244.0.8', '10.244.0.9', '10.244.0.2']);
  });
});

interface Result {
  readonly uid?: string;
  readonly addresses: readonly string[];
  readonly writtenAt?: number;
  readonly sandbox?: string;
}

async function writeResult(name: string, { uid, addresses, writtenAt = 1, sandbox }: Result): Promise<void> {
  const cniArgs = [['IgnoreUnknown', '1'], ...(uid === undefined ? [] : [['K8S_POD_UID', uid]])];
  const result = {
    cniVersion: '1.0.0',
    ips: addresses.map((address) => ({ address })),
    interfaces: [{ name: 'veth' }, { sandbox }],
  };
  const file = path.join(folder, name);
  await writeFile(file, JSON.stringify({ kind: 'cniCacheV1', cniArgs, result }));
  await utimes(file, writtenAt, writtenAt);
}

function aPod(uid: string, podIP?: string): PolicyPod {
  return {
    metadata: { name: uid, namespace: 'x', uid },
    spec: {},
    status: podIP === undefined ? { phase: 'Pending' } : { phase: 'Running', podIP },
  };
}
