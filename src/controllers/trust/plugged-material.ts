import { kindInfo } from '../../api/kinds.ts';
import { keyText, type ObjectKey } from '../../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { GivenMaterial } from '../../pki/given-material.ts';
import { readGivenMaterial } from '../../pki/given-material.ts';
import { lintBundle } from '../../pki/lint/lint-bundle.ts';
import { Informer, type InformerDeps } from '../../runtime/informer.ts';
import { secretTexts } from './secret-data.ts';

/** Material that a user has plugged in and that passes lint. */
export type PluggedMaterial = Extract<GivenMaterial, { readonly problem?: undefined }>;

/** What the Secret of a mesh holds, or why it is refused. */
export type PluggedReading =
  | { readonly material: PluggedMaterial; readonly problem?: undefined }
  | { readonly material?: undefined; readonly problem: string };

/** One Secret that is watched for one mesh. */
interface Source {
  readonly secret: ObjectKey;
  readonly informer: Informer;
  readonly stop: AbortController;
}

/**
 * The Secrets that MeshOperators name in `pluggedIn`. Each is watched by itself, from when a mesh first asks for it: the
 * operator keeps no other Secret of anybody in its memory.
 */
export class PluggedSecrets {
  readonly #deps: InformerDeps;
  readonly #onChange: (mesh: ObjectKey) => void;
  readonly #sources = new Map<string, Source>();

  constructor(deps: InformerDeps, onChange: (mesh: ObjectKey) => void) {
    this.#deps = deps;
    this.#onChange = onChange;
  }

  /** What the Secret holds now; waits for it to be read when it is new. */
  async read(mesh: ResolvedMesh, now: Date, signal: AbortSignal): Promise<PluggedReading> {
    const secretKey = { namespace: mesh.namespace, name: mesh.authority.secretName ?? '' };
    const { informer } = this.#sourceFor({ namespace: mesh.namespace, name: mesh.name }, secretKey);
    await informer.waitForSync(signal);
    const secret = informer.get(secretKey.namespace, secretKey.name);
    const what = `Secret ${keyText(secretKey)}`;
    if (secret === undefined) return { problem: `${what} does not exist` };
    const files = secretTexts(secret);
    const errors = lintBundle(files, now).filter(({ severity }) => severity === 'error');
    if (errors.length > 0) {
      const texts = errors.slice(0, 3).map(({ where, problem, fix }) => `${where}: ${problem} (${fix})`);
      return { problem: `${what} fails lint: ${texts.join('; ')}` };
    }
    const material = readGivenMaterial(files, { rootSigns: false });
    return material.problem === undefined ? { material } : { problem: `${what}: ${material.problem}` };
  }

  /** Stops watching for a mesh that plugs nothing in any more. */
  forget(mesh: ObjectKey): void {
    this.#sources.get(keyText(mesh))?.stop.abort();
    this.#sources.delete(keyText(mesh));
  }

  #sourceFor(mesh: ObjectKey, secret: ObjectKey): Source {
    const known = this.#sources.get(keyText(mesh));
    if (known !== undefined && keyText(known.secret) === keyText(secret)) return known;
    this.forget(mesh);
    const { namespace, name } = secret;
    const informer = new Informer(
      { kind: kindInfo('v1', 'Secret'), namespace, fieldSelector: `metadata.name=${name}` },
      this.#deps,
    );
    const stop = new AbortController();
    informer.addHandler(() => this.#onChange(mesh));
    void informer.run(stop.signal);
    const source = { secret, informer, stop };
    this.#sources.set(keyText(mesh), source);
    return source;
  }
}
