import { kindInfo } from '../../src/api/kinds.ts';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { meshOperatorApiVersion, meshOperatorKind } from '../../src/api/mesh-operator.ts';
import type { MeshOperatorStatus } from '../../src/api/mesh-operator-status.ts';
import { systemClock } from '../../src/base/clock.ts';
import { openConnection } from '../../src/kube/api-connection.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { createLogger } from '../../src/observability/logger.ts';
import { Informer } from '../../src/runtime/informer.ts';
import { seconds } from '../../test/cluster/toolchain/progress.ts';

/**
 * Prints each condition of a mesh as it turns, until the mesh is Ready; returns its last status.
 * Throws when the mesh is Stalled, or not Ready within the limit.
 */
export async function watchUntilReady(
  kubeconfig: string,
  mesh: { readonly namespace: string; readonly name: string },
  limitMs: number,
): Promise<MeshOperatorStatus> {
  const started = performance.now();
  const stop = AbortSignal.timeout(limitMs);
  const done = new AbortController();
  const connection = openConnection({ kubeconfig }, systemClock);
  const client = new KubeClient({ connection, clock: systemClock });
  const informer = new Informer(
    { kind: kindInfo(meshOperatorApiVersion, meshOperatorKind), namespace: mesh.namespace },
    { client, clock: systemClock, log: createLogger('error', process.stderr), random: Math.random },
  );
  const end = Promise.withResolvers<MeshOperatorStatus>();
  const shown = new Map<string, string>();
  informer.addHandler(({ current }) => {
    if (current?.metadata.name !== mesh.name) return;
    const status = statusOf(current);
    for (const line of turned(status, shown)) {
      process.stdout.write(`  ${seconds(performance.now() - started).padStart(7)}  ${line}\n`);
    }
    if (status.state === 'Ready') end.resolve(status);
    if (status.state === 'Stalled') end.reject(new Error(readyMessage(status)));
  });
  stop.addEventListener('abort', () =>
    end.reject(new Error(`the mesh is not Ready after ${seconds(limitMs)}`)),
  );
  const running = informer.run(AbortSignal.any([stop, done.signal]));
  // The clock's timers do not keep a process alive.
  const keepAlive = setInterval(() => {}, 1000);
  try {
    return await end.promise;
  } finally {
    clearInterval(keepAlive);
    done.abort();
    await running;
    await connection.close();
  }
}

/** One line for each condition that differs from what was shown last. */
function turned(status: MeshOperatorStatus, shown: Map<string, string>): string[] {
  const lines: string[] = [];
  for (const { type, status: value, message } of status.conditions ?? []) {
    if (shown.get(type) === value) continue;
    shown.set(type, value);
    lines.push(`${mark(value)} ${type.padEnd(18)} ${message}`);
  }
  return lines;
}

function mark(value: string): string {
  const text = value === 'True' ? '+' : value === 'False' ? '-' : '?';
  if (!process.stdout.isTTY) return text;
  return value === 'True' ? `\u001b[32m${text}\u001b[0m` : `\u001b[33m${text}\u001b[0m`;
}

function readyMessage(status: MeshOperatorStatus): string {
  return status.conditions?.find((condition) => condition.type === 'Ready')?.message ?? 'the mesh is stalled';
}

function statusOf(mesh: KubernetesObject): MeshOperatorStatus {
  return (mesh.status ?? {}) as MeshOperatorStatus;
}
