import type { KubernetesObject } from '../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../api/resolved-mesh.ts';
import { configClusterOf } from '../api/resolved-multi-cluster.ts';
import { renderCni } from './cni/cni.ts';
import { renderIstiodAccess, renderReaderAccess } from './control-plane/access.ts';
import { renderDefaultValidator, renderRevisionValidator } from './control-plane/admission.ts';
import { deploysGateways, renderGatewayController } from './control-plane/gateway-controller.ts';
import { renderIstiod } from './control-plane/istiod.ts';
import { renderMeshConfigMap } from './control-plane/mesh-config-map.ts';
import { renderRemoteIstiod } from './control-plane/remote-istiod.ts';
import { renderDefaultStablePolicy, renderStablePolicy } from './control-plane/stable-policy.ts';
import { renderGateway } from './gateways/gateway.ts';
import { renderInjector } from './injector/injector.ts';
import {
  renderControlPlanePolicies,
  renderGatewayPolicies,
  renderMemberPolicies,
} from './network-policy/network-policies.ts';
import { applyOverlays } from './overlays/apply-overlays.ts';
import { renderPolicies } from './policies.ts';
import type { RenderContext } from './render-context.ts';
import { renderTenantEgress } from './tenancy/egress.ts';
import { renderMembers } from './tenancy/members.ts';
import type { Wave } from './wave.ts';
import { renderZtunnel } from './ztunnel/ztunnel.ts';

/**
 * Every object that the mesh consists of, by wave. Istio's CRDs are not among them: they belong to the cluster
 * (`renderIstioCrds`). `members` are the namespaces of a tenant. Pure, and the same input gives the same bytes. Waves without objects are left out.
 * Throws OverlaysRefusedError when an overlay cannot be applied.
 */
export function renderMesh(
  mesh: ResolvedMesh,
  context: RenderContext,
  members: readonly string[] = [],
): readonly Wave[] {
  const waves: Wave[] = [
    { name: 'access', objects: renderAccess(mesh, context) },
    { name: 'control-plane', objects: renderControlPlane(mesh, context) },
    { name: 'admission', objects: renderAdmission(mesh, context) },
    { name: 'injector', objects: mesh.injector.enabled ? renderInjector(mesh, context) : [] },
    { name: 'members', objects: renderMembers(mesh, context, members) },
    { name: 'cni', objects: mesh.cni.enabled ? renderCni(mesh, context) : [] },
    { name: 'ztunnel', objects: mesh.ztunnel.enabled ? renderZtunnel(mesh, context) : [] },
    {
      name: 'gateways',
      objects: mesh.gateways.flatMap((gateway) => renderGateway(mesh, context, gateway)),
    },
    {
      name: 'policies',
      objects: [
        ...renderPolicies(mesh, context),
        ...renderTenantEgress(mesh, context, members),
        ...renderControlPlanePolicies(mesh, context),
        ...renderGatewayPolicies(mesh, context),
        ...renderMemberPolicies(mesh, context, members),
      ],
    },
  ];
  return applyOverlays(
    mesh,
    waves.filter((wave) => wave.objects.length > 0),
  );
}

function renderAccess(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  return [
    ...(hasReader(mesh) ? renderReaderAccess(mesh, context) : []),
    ...(mesh.pilot.enabled ? [...renderIstiodAccess(mesh, context), renderMeshConfigMap(mesh, context)] : []),
    ...(mesh.pilot.enabled && deploysGateways(mesh) ? renderGatewayController(mesh, context) : []),
  ];
}

/**
 * A tenant has none: whoever is it reads the whole cluster, Secrets among it. Where istiod is for another cluster, there is
 * nothing of the mesh to read here.
 */
function hasReader(mesh: ResolvedMesh): boolean {
  return mesh.base.enabled && mesh.tenancy === undefined && configClusterOf(mesh) === undefined;
}

function renderControlPlane(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  if (mesh.remote !== undefined) return renderRemoteIstiod(mesh, context, mesh.remote.addresses);
  return mesh.pilot.enabled ? renderIstiod(mesh, context) : [];
}

/** After istiod, which alone can answer, and which fills in the certificates (ADR 7). */
function renderAdmission(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  if (!mesh.pilot.enabled || configClusterOf(mesh) !== undefined) return [];
  const isDefault = mesh.base.enabled && mesh.revision === '';
  return [
    renderRevisionValidator(mesh, context),
    ...(isDefault ? [renderDefaultValidator(mesh, context)] : []),
    ...(mesh.stableValidationPolicy ? renderStablePolicy(mesh, context) : []),
    ...(mesh.stableValidationPolicy && isDefault ? renderDefaultStablePolicy(mesh, context) : []),
  ];
}
