import { kindInfo } from '../api/kinds.ts';
import { idOf, type KubernetesObject, keyText, type ObjectKey } from '../api/kubernetes-object.ts';
import { ownerByLabels } from '../api/labels.ts';
import { type MeshOperator, meshOperatorApiVersion, meshOperatorKind } from '../api/mesh-operator.ts';
import type { MeshOperatorSpec } from '../api/mesh-operator-spec.ts';
import type { SpecRecord } from '../api/mesh-operator-status.ts';
import { problemText } from '../api/problem.ts';
import { specRecordId, specRecordName } from '../api/spec-history.ts';
import { validateMeshOperator } from '../api/validate.ts';
import { commandClock } from '../base/clock.ts';
import { type ClusterOptions, clusterClient } from './cluster.ts';
import { confirm } from './confirm.ts';
import { fieldLines } from './diff-text.ts';
import { paintFor } from './paint.ts';
import { applierWarnings } from './spec-appliers.ts';
import { specChanges } from './spec-changes.ts';
import { type ExitCode, exitCodes, type Terminal } from './terminal.ts';

/** What follows `mesh-operator rollback NAME`. */
export interface RollbackOptions extends ClusterOptions {
  readonly namespace: string;
  /** A generation of `status.history`. Absent: the last one with another spec. */
  readonly to?: string | undefined;
  /** Do not ask. */
  readonly yes?: boolean | undefined;
}

const fieldManager = 'mesh-operator-rollback';

/**
 * `mesh-operator rollback NAME`: gives a MeshOperator a spec back in which it has been Ready. Shows what changes and asks
 * first. Exit code 1 when nothing was done: there is no such spec, it is not valid any more, the answer was no, or the
 * mesh was changed meanwhile. Throws NotFoundError when there is no such mesh.
 */
export async function rollback(
  name: string,
  options: RollbackOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const key = { namespace: options.namespace, name };
  const client = clusterClient(options, commandClock);
  const { signal } = new AbortController();
  const refuse = (why: string) => {
    terminal.stderr.write(`${why}\n`);
    return exitCodes.failed;
  };
  const mesh = await client.get({ ...kindInfo(meshOperatorApiVersion, meshOperatorKind), ...key }, signal);
  const parent = ownerByLabels(mesh.metadata.labels);
  if (parent !== undefined) {
    return refuse(
      `${keyText(key)} is a control plane of MeshOperator ${keyText(parent)}: roll that one back`,
    );
  }
  const { status, spec: present } = mesh as unknown as MeshOperator;
  const history = status?.history ?? [];
  const record = wantedRecord(history, specRecordName(name, mesh.spec), options.to);
  if (record === undefined) return refuse(noSuchSpec(key, history, options.to));
  const kept = await client.find(specRecordId(key, record.name), signal);
  if (kept === undefined) return refuse(`ControllerRevision ${options.namespace}/${record.name} is gone`);
  const spec = withPause(specOf(kept), present);
  const problems = validateMeshOperator({ ...mesh, spec }).map(problemText);
  if (problems.length > 0) return refuse(`That spec is not valid any more:\n  ${problems.join('\n  ')}`);

  const paint = paintFor(terminal);
  const say = (line: string) => void terminal.stdout.write(`${line}\n`);
  say(
    `${keyText(key)} returns to generation ${record.generation}: Istio ${record.version}, Ready at ${record.readyAt}`,
  );
  for (const change of specChanges(present, spec, 'spec')) {
    for (const line of fieldLines(change, paint)) say(line);
  }
  for (const warning of applierWarnings(mesh)) terminal.stderr.write(`${warning}\n`);
  if (options.yes !== true && !(await confirm(name, terminal))) return refuse('Nothing was done.');
  // Of the spec alone: the operator may write its status at any moment.
  const operations = [
    { op: 'test', path: '/metadata/generation', value: mesh.metadata.generation },
    { op: 'replace', path: '/spec', value: spec },
  ] as const;
  try {
    await client.patch(idOf(mesh), { type: 'json', operations: [...operations] }, { fieldManager }, signal);
  } catch (error) {
    const { generation } = (await client.get(idOf(mesh), signal)).metadata;
    if (generation === mesh.metadata.generation) throw error;
    return refuse(`The spec of ${keyText(key)} was changed meanwhile: nothing was done`);
  }
  say(`${keyText(key)} has that spec again; "mesh-operator status" shows how far it is`);
  return exitCodes.ok;
}

/** The record asked for, which is never that of the spec in force. */
function wantedRecord(
  history: readonly SpecRecord[],
  inForce: string,
  to: string | undefined,
): SpecRecord | undefined {
  const others = history.filter(({ name }) => name !== inForce);
  return to === undefined ? others[0] : others.find(({ generation }) => String(generation) === to);
}

function noSuchSpec(key: ObjectKey, history: readonly SpecRecord[], to: string | undefined): string {
  const what = to === undefined ? 'an earlier spec' : `another spec of generation ${to}`;
  const known = history.map(
    ({ generation, version, readyAt }) => `generation ${generation} (Istio ${version}, Ready at ${readyAt})`,
  );
  const kept = known.length === 0 ? 'none is kept' : `kept are ${known.join(', ')}`;
  return `There is not ${what} in which ${keyText(key)} was Ready: ${kept}`;
}

function specOf(kept: KubernetesObject): MeshOperatorSpec {
  return (kept as unknown as { readonly data: { readonly spec: MeshOperatorSpec } }).data.spec;
}

/** Whether the mesh is paused is not a matter of what it was. */
function withPause({ paused: _before, ...spec }: MeshOperatorSpec, { paused }: MeshOperatorSpec = {}) {
  return paused === undefined ? spec : { ...spec, paused };
}
