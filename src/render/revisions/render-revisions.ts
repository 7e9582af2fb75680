import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { type MeshOperator, meshOperatorApiVersion, meshOperatorKind } from '../../api/mesh-operator.ts';
import type { MeshOperatorSpec } from '../../api/mesh-operator-spec.ts';
import { resolveMesh } from '../../api/resolve.ts';
import { type ResolvedMesh, revisionLabel } from '../../api/resolved-mesh.ts';
import { renderCni } from '../cni/cni.ts';
import { renderReaderAccess } from '../control-plane/access.ts';
import { renderDefaultValidator } from '../control-plane/admission.ts';
import { renderGateway } from '../gateways/gateway.ts';
import { renderGatewayPolicies } from '../network-policy/network-policies.ts';
import { objectMetadata } from '../object-metadata.ts';
import { applyOverlays } from '../overlays/apply-overlays.ts';
import { renderPolicies } from '../policies.ts';
import type { RenderContext } from '../render-context.ts';
import type { Wave } from '../wave.ts';
import { renderZtunnel } from '../ztunnel/ztunnel.ts';
import { type NamespaceSet, noNamespaces, scopeOf } from './namespace-set.ts';
import { type ObservedRevisions, planRevisions } from './plan-revisions.ts';
import { revisionSpec, sharedSpec } from './revision-spec.ts';

/** Name of the MeshOperator that is the control plane of a revision. */
export function revisionMeshName(mesh: ResolvedMesh, revision: string): string {
  const ofVersion = mesh.revision === '' ? revision : revision.slice(mesh.revision.length + 1);
  return `${mesh.name}-${ofVersion}`;
}

/** The names by which namespaces choose a mesh whose upgrades are `RevisionBased`: its own, and its tags. */
export function namesOfMesh({ revision, revisionTags }: ResolvedMesh): string[] {
  return [...new Set([revisionLabel(revision), ...revisionTags])];
}

/**
 * Every object of a mesh whose upgrades are `RevisionBased`, by wave: a MeshOperator for each control plane that it
 * needs now, and its gateways. Only the control plane of the spec's version follows the spec; older ones stay as they are
 * until they go. Pure, as `renderMesh`, and refuses overlays as that does.
 */
export function renderRevisions(
  object: MeshOperator,
  mesh: ResolvedMesh,
  observed: ObservedRevisions,
  context: RenderContext,
): readonly Wave[] {
  const plan = planRevisions(mesh, observed);
  const specOf = (revision: string) =>
    revision === plan.wanted ? revisionSpec(object.spec ?? {}, mesh) : observed.revisions.get(revision)?.spec;
  const render = (revision: string) => {
    const spec = specOf(revision);
    const holding = plan.holdings.get(revision) ?? noNamespaces;
    return spec === undefined ? [] : [renderRevisionMesh(object, mesh, context, { revision, spec, holding })];
  };
  const base = specOf(plan.gateways) ?? revisionSpec(object.spec ?? {}, mesh);
  const sharedMesh = resolveMesh({ ...object, spec: sharedSpec(object.spec ?? {}, base) });
  const waves: Wave[] = [
    { name: 'access', objects: mesh.base.enabled ? renderReaderAccess(mesh, context) : [] },
    { name: 'control-plane', objects: render(plan.gateways) },
    {
      name: 'other-revisions',
      objects: plan.revisions.filter((revision) => revision !== plan.gateways).flatMap(render),
    },
    {
      name: 'admission',
      objects:
        mesh.base.enabled && mesh.revision === ''
          ? [renderDefaultValidator({ ...mesh, revision: plan.active }, context)]
          : [],
    },
    { name: 'cni', objects: sharedMesh.cni.enabled ? renderCni(sharedMesh, context) : [] },
    { name: 'ztunnel', objects: sharedMesh.ztunnel.enabled ? renderZtunnel(sharedMesh, context) : [] },
    {
      name: 'gateways',
      objects: sharedMesh.gateways.flatMap((gateway) => renderGateway(sharedMesh, context, gateway)),
    },
    {
      name: 'policies',
      objects: [...renderPolicies(mesh, context), ...renderGatewayPolicies(sharedMesh, context)],
    },
  ];
  return applyOverlays(
    mesh,
    waves.filter(({ objects }) => objects.length > 0),
  );
}

function renderRevisionMesh(
  { spec: { paused } = {} }: MeshOperator,
  mesh: ResolvedMesh,
  context: RenderContext,
  { revision, spec, holding }: { revision: string; spec: MeshOperatorSpec; holding: NamespaceSet },
): KubernetesObject {
  return {
    apiVersion: meshOperatorApiVersion,
    kind: meshOperatorKind,
    metadata: objectMetadata(mesh, context, {
      ...{ name: revisionMeshName(mesh, revision), namespace: mesh.namespace },
      component: 'control-plane',
      labels: { 'istio.io/rev': revision },
    }),
    spec: {
      ...spec,
      revisionTags: namesOfMesh(mesh),
      revisionTagScope: scopeOf(holding),
      ...(paused === undefined ? {} : { paused }),
    },
  };
}
