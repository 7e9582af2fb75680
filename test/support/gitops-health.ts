import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { run } from '../cluster/toolchain/run-command.ts';
import { ensureTool } from '../cluster/toolchain/tools.ts';

/** What a GitOps tool says of an object. */
export interface Verdict {
  readonly status: string;
  readonly message: string;
}

/** What Argo CD says of an object by our health check, and Flux by kstatus. */
export interface GitopsHealth {
  readonly argoCD: Verdict;
  readonly kstatus: Verdict;
}

/** Where the health checks are, in the layout of Argo CD's own repository: GROUP/KIND. */
export const resourceCustomizations = resolve(
  import.meta.dirname,
  '../../gitops/argo-cd/resource_customizations',
);

/** The kinds that Argo CD is given a health check for: GROUP/KIND. */
export const checkedKinds = ['meshoperator.dev/MeshOperator', 'argoproj.io/Application'] as const;

/** Asks Argo CD's own Lua interpreter, in the sandbox of its controller, and Flux's kstatus about each object. */
export async function gitopsHealthOf(objects: readonly unknown[]): Promise<GitopsHealth[]> {
  const scripts = checkedKinds.map(async (kind) => [kind, await readHealthCheck(kind)] as const);
  const input = { healthLua: Object.fromEntries(await Promise.all(scripts)), objects };
  const output = await run(await ensureTool('argo-cd'), ['health'], { input: JSON.stringify(input) });
  return JSON.parse(output) as GitopsHealth[];
}

/** The Lua text of the health check of a kind. */
export function readHealthCheck(kind: string): Promise<string> {
  return readFile(resolve(resourceCustomizations, kind, 'health.lua'), 'utf8');
}
