import { type MeshOperator, meshOperatorKind } from '../api/mesh-operator.ts';
import type { Problem } from '../api/problem.ts';
import { resolveMesh } from '../api/resolve.ts';
import { validateMeshOperator } from '../api/validate.ts';
import { TerminalError } from '../base/errors.ts';
import { GatewayRefusedError } from './gateways/gateway-refused-error.ts';
import { nothingObserved } from './observed-mesh.ts';
import { OverlaysRefusedError } from './overlays/overlays-refused-error.ts';
import type { RenderContext } from './render-context.ts';
import { renderMeshOperator } from './render-mesh-operator.ts';

/**
 * Every problem of a MeshOperator: those of its validation, and when there is none, those that show when its objects are
 * made. Takes whatever a file or the API server gives and never throws for it.
 */
export function problemsOfMesh(object: unknown, context: RenderContext): Problem[] {
  const problems = validateMeshOperator(object);
  return problems.length > 0 ? problems : findRenderProblems(object as MeshOperator, context);
}

function findRenderProblems(mesh: MeshOperator, context: RenderContext): Problem[] {
  try {
    const waves = renderMeshOperator(mesh, resolveMesh(mesh), nothingObserved, context);
    // Where upgrades are RevisionBased, the control plane is a MeshOperator itself.
    const parts = waves.flatMap(({ objects }) => objects.filter(({ kind }) => kind === meshOperatorKind));
    return parts.flatMap((part) => problemsOfMesh(part, context));
  } catch (error) {
    if (error instanceof OverlaysRefusedError) return [...error.problems];
    if (error instanceof GatewayRefusedError) {
      return [{ path: `${gatewayPath(mesh, error)}.k8s.podAnnotations`, message: error.message }];
    }
    if (error instanceof TerminalError) return [{ path: 'spec', message: error.message }];
    throw error;
  }
}

/** Where in the spec a gateway is. */
function gatewayPath({ metadata, spec }: MeshOperator, { gateway }: GatewayRefusedError): string {
  for (const [list, gateways] of Object.entries(spec?.components ?? {})) {
    if (!Array.isArray(gateways)) continue;
    const index = gateways.findIndex(
      ({ name, namespace = metadata.namespace }) => name === gateway.name && namespace === gateway.namespace,
    );
    if (index >= 0) return `spec.components.${list}[${index}]`;
  }
  return 'spec.components';
}
