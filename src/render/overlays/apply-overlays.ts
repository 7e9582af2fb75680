import { groupOf, type KubernetesObject } from '../../api/kubernetes-object.ts';
import { overlayPathText, parseOverlayPath } from '../../api/overlay-path.ts';
import type { Problem } from '../../api/problem.ts';
import type { ResolvedMesh, ResolvedOverlay, ResolvedOverlays } from '../../api/resolved-mesh.ts';
import type { Wave } from '../wave.ts';
import { refusalOf } from './kept-fields.ts';
import { isOfComponent } from './overlay-targets.ts';
import { OverlaysRefusedError } from './overlays-refused-error.ts';
import { PatchError, patchObject } from './patch-object.ts';

type Patch = ResolvedOverlay['patches'][number];

/**
 * The waves with the overlays of every component applied; what no overlay speaks of stays as it is. Pure.
 * Throws OverlaysRefusedError with every patch that names no object or no place, or changes what it must not.
 */
export function applyOverlays(mesh: ResolvedMesh, waves: readonly Wave[]): readonly Wave[] {
  if (mesh.overlays.length === 0) return waves;
  const objects = waves.flatMap((wave) => wave.objects);
  const patched = new Map<KubernetesObject, KubernetesObject>();
  const problems = mesh.overlays.flatMap((overlays) => patchComponent(mesh, overlays, objects, patched));
  if (problems.length > 0) throw new OverlaysRefusedError(problems);
  return waves.map((wave) => ({
    ...wave,
    objects: wave.objects.map((object) => patched.get(object) ?? object),
  }));
}

function patchComponent(
  mesh: ResolvedMesh,
  { path, overlays, ...target }: ResolvedOverlays,
  objects: readonly KubernetesObject[],
  patched: Map<KubernetesObject, KubernetesObject>,
): Problem[] {
  const own = objects.filter((object) => isOfComponent(mesh, object, target));
  // A component that is turned off has nothing to patch, and nothing to be wrong about.
  if (own.length === 0) return [];
  return overlays.flatMap((overlay, index) => {
    const place = `${path}[${index}]`;
    const object = own.find((candidate) => isMeant(candidate, overlay));
    if (object === undefined) {
      const elsewhere = objects.find((candidate) => isMeant(candidate, overlay));
      return [{ path: place, message: noObject(overlay, own, elsewhere) }];
    }
    const before = patched.get(object) ?? object;
    const copy = structuredClone(before);
    const problems = overlay.patches.flatMap((patch, at) =>
      applyPatch(copy, patch, `${place}.patches[${at}].path`),
    );
    patched.set(object, copy);
    return problems;
  });
}

function applyPatch(object: KubernetesObject, { path, value }: Patch, place: string): Problem[] {
  const steps = parseOverlayPath(path);
  if ('problem' in steps) return [{ path: place, message: steps.problem }];
  const before = structuredClone(object);
  try {
    patchObject(object, steps, value);
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    return [{ path: place, message: `${overlayPathText(steps)}: ${error.message}` }];
  }
  const message = refusalOf(before, object);
  return message === undefined ? [] : [{ path: place, message: `${overlayPathText(steps)}: ${message}` }];
}

/** The version of an API is not compared: what IstioOperators have is often older than what is applied. */
function isMeant({ apiVersion, kind, metadata }: KubernetesObject, overlay: ResolvedOverlay): boolean {
  if (kind !== overlay.kind || metadata.name !== overlay.name) return false;
  return overlay.apiVersion === undefined || groupOf(overlay.apiVersion) === groupOf(apiVersion);
}

function noObject(
  { apiVersion, kind, name }: ResolvedOverlay,
  own: readonly KubernetesObject[],
  elsewhere: KubernetesObject | undefined,
): string {
  const wanted = apiVersion === undefined ? `${kind} ${name}` : `${kind} ${name} of ${apiVersion}`;
  const hint =
    elsewhere === undefined ? '' : '; it belongs to another component, whose overlays can change it';
  const names = own.map((object) => `${object.kind} ${object.metadata.name} (${object.apiVersion})`).sort();
  return `there is no ${wanted} among the objects of this component${hint}; there are ${names.join(', ')}`;
}
