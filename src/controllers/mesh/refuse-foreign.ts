import { idOf, idText, type KubernetesObject, keyText, type ObjectKey } from '../../api/kubernetes-object.ts';
import { ownerByLabels } from '../../api/labels.ts';
import { TerminalError } from '../../base/errors.ts';

/** Throws TerminalError with reason OwnedByOther for an object that another mesh has. */
export function refuseForeign(mesh: ObjectKey, observed: KubernetesObject | undefined): void {
  const owner = ownerByLabels(observed?.metadata.labels);
  if (observed === undefined || owner === undefined || keyText(owner) === keyText(mesh)) return;
  const message = `${idText(idOf(observed))} belongs to MeshOperator ${keyText(owner)}; two meshes cannot share it`;
  throw new TerminalError(message, { reason: 'OwnedByOther' });
}
