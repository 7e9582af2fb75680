import { run } from '../cluster/toolchain/run-command.ts';
import { ensureTool } from '../cluster/toolchain/tools.ts';

/** What Istio's own code makes of one patch: the object, or its complaint. */
export interface PatchOutcome {
  readonly object?: unknown;
  readonly error?: string;
}

/** Has Istio's own code make patches, each of an object of its own. */
export async function patchWithIstio(
  object: object,
  patches: readonly { readonly path: string; readonly value?: unknown }[],
): Promise<PatchOutcome[]> {
  const inputs = patches.map(({ path, value }) => ({ object, patches: [{ path, value }] }));
  return JSON.parse(
    await run(await ensureTool('istio-overlays'), [], { input: JSON.stringify(inputs) }),
  ) as PatchOutcome[];
}
