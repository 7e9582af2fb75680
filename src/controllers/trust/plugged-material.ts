import { kindInfo } from '../../api/kinds.ts';
import { keyText, type ObjectKey } from '../../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { secretTexts } from '../../kube/secret-data.ts';
import type { GivenMaterial } from '../../pki/given-material.ts';
import { readGivenMaterial } from '../../pki/given-material.ts';
import { lintBundle } from '../../pki/lint/lint-bundle.ts';
import type { InformerDeps } from '../../runtime/informer.ts';
import { WatchedObjects } from '../../runtime/watched-objects.ts';

/** Material that a user has plugged in and that passes lint. */
export type PluggedMaterial = Extract<GivenMaterial, { readonly problem?: undefined }>;

/** What the Secret of a mesh holds, or why it is refused. */
export type PluggedReading =
  | { readonly material: PluggedMaterial; readonly problem?: undefined }
  | { readonly material?: undefined; readonly problem: string };

/** The Secrets that MeshOperators name in `pluggedIn`. */
export class PluggedSecrets {
  readonly #secrets: WatchedObjects;

  constructor(deps: InformerDeps, onChange: (mesh: ObjectKey) => void) {
    this.#secrets = new WatchedObjects(kindInfo('v1', 'Secret'), deps, onChange);
  }

  /** What the Secret holds now; waits for it to be read when it is new. */
  async read(mesh: ResolvedMesh, now: Date, signal: AbortSignal): Promise<PluggedReading> {
    const secretKey = { namespace: mesh.namespace, name: mesh.authority.secretName ?? '' };
    const secret = await this.#secrets.read(mesh, secretKey, signal);
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
    this.#secrets.forget(mesh);
  }
}
