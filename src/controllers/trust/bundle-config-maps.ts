import { kindInfo } from '../../api/kinds.ts';
import { keyText, type ObjectKey } from '../../api/kubernetes-object.ts';
import type { ResolvedBundleSource } from '../../api/resolved-bundle-source.ts';
import { isRecord } from '../../base/stable-json.ts';
import { readTrustedRoots, type TrustedRoot, type TrustedRootsReading } from '../../pki/trusted-roots.ts';
import type { InformerDeps } from '../../runtime/informer.ts';
import { WatchedObjects } from '../../runtime/watched-objects.ts';

/** What a ConfigMap holds now: roots, or a problem; and the last good roots. */
export interface BundleReading {
  readonly roots?: readonly TrustedRoot[];
  readonly problem?: string;
  /** The ConfigMap does not exist. */
  readonly isMissing: boolean;
}

/** The ConfigMaps with the roots of authorities that somebody else keeps. */
export class BundleConfigMaps {
  readonly #configMaps: WatchedObjects;
  /** By where they are from. */
  readonly #lastGood = new Map<string, readonly TrustedRoot[]>();

  constructor(deps: InformerDeps, onChange: (mesh: ObjectKey) => void) {
    this.#configMaps = new WatchedObjects(kindInfo('v1', 'ConfigMap'), deps, onChange);
  }

  /**
   * What the ConfigMap holds, waiting for it to be read when it is new. With a problem, the roots are those that it held
   * before; a process that has seen none takes them from `remembered`.
   */
  async read(
    mesh: ObjectKey,
    source: ResolvedBundleSource,
    options: {
      readonly now: Date;
      readonly signal: AbortSignal;
      readonly remembered?: () => Promise<string | undefined>;
    },
  ): Promise<BundleReading> {
    const { now, signal, remembered } = options;
    const object = await this.#configMaps.read(mesh, source, signal);
    const where = `ConfigMap ${keyText(source)}`;
    const reading: TrustedRootsReading =
      object === undefined
        ? { problem: `${where} does not exist` }
        : readEntry(where, object.data, source.key, now);
    const origin = `${keyText(mesh)}: ${keyText(source)}/${source.key}`;
    if (reading.roots !== undefined) {
      this.#lastGood.set(origin, reading.roots);
      return { roots: reading.roots, isMissing: false };
    }
    const roots = this.#lastGood.get(origin) ?? readAgain(await remembered?.(), now);
    if (roots !== undefined) this.#lastGood.set(origin, roots);
    return {
      problem: reading.problem,
      isMissing: object === undefined,
      ...(roots === undefined ? {} : { roots }),
    };
  }

  /** Stops watching for a mesh that has no such authority any more. */
  forget(mesh: ObjectKey): void {
    this.#configMaps.forget(mesh);
    for (const origin of [...this.#lastGood.keys()]) {
      if (origin.startsWith(`${keyText(mesh)}: `)) this.#lastGood.delete(origin);
    }
  }
}

function readEntry(where: string, data: unknown, key: string, now: Date): TrustedRootsReading {
  const entries = isRecord(data) ? data : {};
  const text = Object.hasOwn(entries, key) ? entries[key] : undefined;
  if (typeof text !== 'string') {
    const keys = Object.keys(entries);
    const there = keys.length === 0 ? 'it is empty' : `there is ${keys.slice(0, 5).join(', ')}`;
    return { problem: `${where} has no key ${key}: ${there}` };
  }
  const reading = readTrustedRoots(key, text, now);
  return reading.problem === undefined ? reading : { problem: `${where} fails lint: ${reading.problem}` };
}

function readAgain(text: string | undefined, now: Date): readonly TrustedRoot[] | undefined {
  return text === undefined ? undefined : readTrustedRoots('the copy', text, now).roots;
}
