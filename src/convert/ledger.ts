import { commonPath, type Path, type Setting, type SettingTree, settingsOf } from './setting-tree.ts';

/** Why a setting is not in the mesh. */
export interface Fate {
  readonly outcome: 'preset' | 'lost';
  readonly reason: string;
  /** What is lost as a whole for this reason: the setting itself, or a block that it is in. */
  readonly block: Path;
  /** Counts only for a setting that is carried nowhere: somewhere else another one wins over it. */
  readonly unlessCarried?: true;
}

/** What becomes of settings that are not carried. */
export class Ledger {
  /** What is lost without having been set: what its absence stands for there. */
  readonly notes: { readonly document: number; readonly path: Path; readonly reason: string }[] = [];
  readonly #fates = new Map<Setting, Fate>();
  readonly #defaults: ((setting: Setting) => boolean)[] = [];

  /** Has settings that would be lost taken for presets when they say no more than a default of what they come from. */
  knowDefaults(isDefault: (setting: Setting) => boolean): void {
    this.#defaults.push(isDefault);
  }

  /** Names settings that are not carried, as one block. */
  lose(tree: SettingTree | undefined, reason: string): void {
    const settings = tree === undefined ? [] : settingsOf(tree);
    const block = commonPath(settings);
    for (const setting of settings)
      this.loseSetting(setting, reason, block.length === 0 ? setting.path : block);
  }

  /** Names every setting of a document, as one. */
  loseDocument(tree: SettingTree, reason: string): void {
    for (const setting of settingsOf(tree)) this.loseSetting(setting, reason, []);
  }

  /** Names settings that another one wins over, as far as they are carried nowhere else. */
  loseTo(winner: string, tree: SettingTree): void {
    const reason = `has no effect, since ${winner} wins over it: keep one of them`;
    for (const setting of settingsOf(tree)) {
      if (this.#fates.has(setting)) continue;
      this.#fates.set(setting, { outcome: 'lost', reason, block: setting.path, unlessCarried: true });
    }
  }

  /** Names one setting; the first reason stays, and a loss is one even if the setting is carried elsewhere. */
  loseSetting(setting: Setting, reason: string, block: Path = setting.path): void {
    if (this.#fates.has(setting)) return;
    const isDefault = this.#defaults.some((rule) => rule(setting));
    this.#fates.set(
      setting,
      isDefault
        ? { outcome: 'preset', reason: 'is a default of what it comes from', block }
        : { outcome: 'lost', reason, block },
    );
  }

  /** Takes settings for what is the case anyway. */
  preset(tree: SettingTree | undefined, reason: string): void {
    for (const setting of tree === undefined ? [] : settingsOf(tree)) {
      if (!this.#fates.has(setting)) {
        this.#fates.set(setting, { outcome: 'preset', reason, block: setting.path });
      }
    }
  }

  /** Undefined for a setting that nothing was said of. */
  fateOf(setting: Setting): Fate | undefined {
    return this.#fates.get(setting);
  }
}
