import { pathText } from '../api/problem.ts';
import type { Loss, SettingOutcome, SourceDocument } from './conversion.ts';
import type { Fate, Ledger } from './ledger.ts';
import { type ObjectTree, type Path, type Setting, settingsOf } from './setting-tree.ts';

/** What became of the settings of documents. */
export interface Report {
  readonly losses: readonly Loss[];
  readonly settings: readonly SettingOutcome[];
}

/** Says of every setting whether it is in the mesh. Throws for one that was dropped without a word, which is a bug of ours. */
export function reportOn(
  documents: readonly SourceDocument[],
  settings: readonly Setting[],
  ledger: Ledger,
  mesh: ObjectTree,
): Report {
  const carried = new Set(settingsOf(mesh));
  const fates = settings.map((setting) => ({ setting, fate: fateOf(setting, ledger, carried) }));
  return {
    settings: fates.map(({ setting, fate }) => {
      const path = pathText(setting.path);
      const source = sourceOf(documents, setting.document);
      if (fate === undefined) throw new Error(`${source}: ${path} was dropped without a word`);
      const { outcome, reason } = fate === 'carried' ? { outcome: fate, reason: '' } : fate;
      return { source, path, value: setting.value, outcome, reason };
    }),
    losses: lossesOf(documents, fates, ledger),
  };
}

function fateOf(
  setting: Setting,
  ledger: Ledger,
  carried: ReadonlySet<Setting>,
): Fate | 'carried' | undefined {
  const fate = ledger.fateOf(setting);
  if (carried.has(setting) && (fate === undefined || fate.unlessCarried === true)) return 'carried';
  return fate;
}

interface Block {
  readonly document: number;
  readonly path: Path;
  readonly reason: string;
}

/** The losses in the order of the settings; a block that is lost as a whole for one reason is one loss. */
function lossesOf(
  documents: readonly SourceDocument[],
  fates: readonly { readonly setting: Setting; readonly fate: Fate | 'carried' | undefined }[],
  ledger: Ledger,
): Loss[] {
  const carried = fates.flatMap(({ setting, fate }) => (fate === 'carried' ? [setting] : []));
  const blocks: Block[] = [];
  for (const { setting, fate } of fates) {
    if (fate === undefined || fate === 'carried' || fate.outcome !== 'lost') continue;
    const { document } = setting;
    const { reason } = fate;
    if (blocks.some((block) => block.reason === reason && isWithin(setting, block))) continue;
    blocks.push({ document, reason, path: narrowed(setting, fate.block, carried) });
  }
  return [...blocks, ...ledger.notes].map(({ document, path, reason }) => ({
    source: sourceOf(documents, document),
    path: pathText(path),
    reason,
  }));
}

/** The widest block around a setting, within the one that it is said of, that nothing in it is carried of. */
function narrowed(setting: Setting, block: Path, carried: readonly Setting[]): Path {
  for (let length = block.length; length < setting.path.length; length++) {
    const path = setting.path.slice(0, length);
    const { document } = setting;
    if (!carried.some((other) => isWithin(other, { document, path }))) return path;
  }
  return setting.path;
}

function isWithin(setting: Setting, { document, path }: Pick<Block, 'document' | 'path'>): boolean {
  return setting.document === document && path.every((key, index) => setting.path[index] === key);
}

function sourceOf(documents: readonly SourceDocument[], document: number): string {
  return documents[document]?.source ?? '';
}
