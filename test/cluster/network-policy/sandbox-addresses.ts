import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { PolicyPod } from './policy-objects.ts';

/** Where libcni keeps what the network plugins answered, one file a sandbox (CNI specification, cached results). */
export const cniResultFolder = '/var/lib/cni/results';

/** Where a pod's containers run. */
export interface Sandbox {
  readonly podUid: string;
  readonly address: string;
  /** Path of its network namespace, in the mount namespace of the node. */
  readonly networkNamespace: string;
  readonly writtenAtMs: number;
}

/** The newest sandbox of each pod, by pod UID. Files that are being written are left out. */
export async function readSandboxes(folder: string): Promise<Map<string, Sandbox>> {
  const names = await readdir(folder);
  const sandboxes = await Promise.all(names.map((name) => readSandbox(path.join(folder, name))));
  const oldestFirst = sandboxes.flat().sort((a, b) => a.writtenAtMs - b.writtenAtMs);
  return new Map(oldestFirst.map((sandbox) => [sandbox.podUid, sandbox]));
}

/**
 * The IPv4 address of each pod's newest sandbox, by pod UID. It is there before the first container of the pod
 * starts, while `status.podIP` comes some moments after.
 */
export async function readSandboxAddresses(folder: string): Promise<Map<string, string>> {
  const sandboxes = await readSandboxes(folder);
  return new Map([...sandboxes].map(([podUid, { address }]) => [podUid, address]));
}

/** The pods, each with the address of its sandbox in place of that of its status, where there is a sandbox. */
export function withSandboxAddresses(
  pods: readonly PolicyPod[],
  addresses: ReadonlyMap<string, string>,
): PolicyPod[] {
  return pods.map((pod) => {
    const podIP = addresses.get(pod.metadata.uid ?? '');
    return podIP === undefined ? pod : { ...pod, status: { ...pod.status, podIP } };
  });
}

async function readSandbox(file: string): Promise<Sandbox[]> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(file, 'utf8'), stat(file)]);
    const cached = JSON.parse(text) as CachedResult;
    const podUid = (cached.cniArgs ?? []).find(([name]) => name === 'K8S_POD_UID')?.[1];
    const address = (cached.result?.ips ?? []).map((ip) => ip.address).find((cidr) => !cidr.includes(':'));
    if (podUid === undefined || address === undefined || isLoopback(address)) return [];
    const networkNamespace = (cached.result?.interfaces ?? []).flatMap(
      ({ sandbox = '' }) => sandbox || [],
    )[0];
    return [
      {
        podUid,
        address: address.replace(/\/\d+$/, ''),
        networkNamespace: networkNamespace ?? '',
        writtenAtMs: mtimeMs,
      },
    ];
  } catch (error) {
    if (error instanceof SyntaxError || isMissing(error)) return [];
    throw error;
  }
}

interface CachedResult {
  readonly cniArgs?: readonly (readonly [string, string])[];
  readonly result?: {
    readonly ips?: readonly { readonly address: string }[];
    readonly interfaces?: readonly { readonly sandbox?: string }[];
  };
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.');
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
