import { parseOverlayPath } from '../overlay-path.ts';
import type { Problem } from '../problem.ts';
import type { Overlay } from '../spec/overlays.ts';
import type { Draft } from './schema-problems.ts';
import { type SpecView, workloadsOf } from './spec-view.ts';

/** Every path of a patch can be read. Whether it leads anywhere shows when the objects are rendered. */
export function checkOverlayPaths(view: SpecView): Problem[] {
  const places = [
    { path: 'spec.components.base.k8s', overlays: view.spec.components?.base?.k8s?.overlays },
    ...workloadsOf(view).map(({ path, settings }) => ({ path, overlays: settings.overlays })),
  ];
  return places.flatMap(({ path, overlays }) =>
    (overlays ?? []).flatMap((overlay, index) => checkPatches(`${path}.overlays[${index}].patches`, overlay)),
  );
}

function checkPatches(where: string, overlay: Draft<Overlay> | undefined): Problem[] {
  return (overlay?.patches ?? []).flatMap((patch, index) => {
    const steps = patch?.path === undefined ? [] : parseOverlayPath(patch.path);
    return 'problem' in steps ? [{ path: `${where}[${index}].path`, message: steps.problem }] : [];
  });
}
