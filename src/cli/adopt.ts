import { type KubernetesObject, keyText } from '../api/kubernetes-object.ts';
import { problemText } from '../api/problem.ts';
import { systemClock } from '../base/clock.ts';
import { messageOf, TerminalError } from '../base/errors.ts';
import { objectManager } from '../controllers/mesh/field-managers.ts';
import type { KubeClient } from '../kube/client.ts';
import { adoptionText } from './adopt/adoption-text.ts';
import { findInstallation } from './adopt/find-installation.ts';
import { meshOfInstallation } from './adopt/mesh-of-installation.ts';
import { type AdoptionPlan, AdoptionPlanner, type PlannedAdoption } from './adopt/plan-adoption.ts';
import { type ClusterOptions, clusterClient, listMeshes } from './cluster.ts';
import { readManifestFile } from './manifest-file.ts';
import { findMeshProblems } from './mesh-problems.ts';
import { operatorImageOf } from './operator-image.ts';
import { type OutputFormat, writeDocument } from './output.ts';
import { paintFor } from './paint.ts';
import { type ExitCode, exitCodes, type Terminal, UsageError } from './terminal.ts';

/** What follows `mesh-operator adopt`. */
export interface AdoptOptions extends ClusterOptions {
  /** Of the control plane; absent: whichever there is. */
  readonly namespace?: string | undefined;
  /** `default` for the one without a name; absent: whichever there is. */
  readonly revision?: string | undefined;
  /** What was installed, or the MeshOperator that means it; absent: what Helm knows. */
  readonly filename?: string | undefined;
  /** The operator's own image; absent: that of the operator in the cluster. */
  readonly image?: string | undefined;
  /** Do it. */
  readonly yes?: boolean | undefined;
  readonly output: OutputFormat;
}

/** Whoever asks by this command line, towards the API server. */
const fieldManager = 'mesh-operator-cli';

/**
 * `mesh-operator adopt`: what it takes to make an Istio that something else has installed a mesh of the operator, and with
 * `yes` does it: marks its objects and creates the MeshOperator; the rest is the operator's. No object is deleted and no
 * pod made anew. Exit code 1 when something stands against it; nothing is written then.
 */
export async function adopt(
  options: AdoptOptions,
  terminal: Terminal,
  clock = systemClock,
): Promise<ExitCode> {
  const documents =
    options.filename === undefined ? undefined : await readManifestFile(options.filename, terminal);
  const client = clusterClient(options, clock);
  const { signal } = new AbortController();
  const planned = await planFor(client, options, documents, signal).catch((error: unknown) => {
    throw error instanceof TerminalError ? new UsageError(messageOf(error)) : error;
  });
  const { plan } = planned;
  if (options.output === 'text') terminal.stdout.write(adoptionText(plan, paintFor(terminal)));
  else writeDocument(plan, options.output, terminal);
  const obstacles = obstaclesOf(plan);
  for (const obstacle of obstacles) terminal.stderr.write(`${obstacle}\n`);
  if (obstacles.length > 0) {
    terminal.stderr.write('Nothing was done.\n');
    return exitCodes.failed;
  }
  if (options.yes !== true) return exitCodes.ok;
  await act(client, planned, signal);
  terminal.stderr.write(
    `${keyText(plan)} takes over; "mesh-operator status -n ${plan.namespace}" shows how far it is\n`,
  );
  return exitCodes.ok;
}

async function planFor(
  client: KubeClient,
  options: AdoptOptions,
  documents: Awaited<ReturnType<typeof readManifestFile>> | undefined,
  signal: AbortSignal,
): Promise<PlannedAdoption> {
  const installation = await findInstallation(client, options, signal);
  const adopting = meshOfInstallation(installation, documents);
  const problems = findMeshProblems(adopting.mesh);
  if (problems.length > 0) throw new UsageError(problems.map(problemText).join('\n'));
  const operatorImage = options.image ?? (await operatorImageOf(client, signal));
  const kubernetesMinor = await client.serverMinor(signal);
  const planner = new AdoptionPlanner({ client, context: { operatorImage, kubernetesMinor } });
  return planner.plan(installation, adopting, await listMeshes(client, {}), signal);
}

/** What keeps anything from being done, one line each. */
function obstaclesOf({ losses, objects, refusals }: AdoptionPlan): string[] {
  const refused = objects.filter(({ action }) => action === 'refuse');
  return [
    ...(losses.length === 0
      ? []
      : [
          'Settings have no counterpart (see above): check what they do, and give the MeshOperator that you want by -f',
        ]),
    ...refused.map(({ object, why }) => `${object}: ${why}`),
    ...refusals,
  ];
}

/** Marks first: an operator that saw the MeshOperator alone would complain about objects of others. */
async function act(client: KubeClient, { plan, marks }: PlannedAdoption, signal: AbortSignal): Promise<void> {
  await Promise.all(
    marks.map((mark) => client.apply(mark, { fieldManager: objectManager, force: true }, signal)),
  );
  await client.create(plan.mesh as unknown as KubernetesObject, { fieldManager }, signal);
}
