import { gatewayDeployments } from '../gateway-deployments.ts';
import type { Problem } from '../problem.ts';
import { profileOf } from '../resolve-multi-cluster.ts';
import { pilotVariable } from './pilot-variable.ts';
import { gatewaysOf, type SpecView } from './spec-view.ts';

const path = 'spec.multiCluster';

/** An istiod that has another cluster for its own. */
export function checkConfigCluster(view: SpecView): Problem[] {
  const { spec } = view;
  const { configCluster, clusterName, role } = spec.multiCluster ?? {};
  if (configCluster === undefined) return [];
  const at = `${path}.configCluster`;
  if (role === 'Remote' || spec.profile === 'remote') {
    return [{ path: at, message: 'must be left out in a cluster without an istiod of its own' }];
  }
  if (configCluster === clusterName) {
    const message =
      'must be another cluster than this one, or be left out: istiod reads its own cluster then';
    return [{ path: at, message }];
  }
  return [
    ...checkItsRemote(view, configCluster),
    ...checkWhatIsElsewhere(view, configCluster),
    ...checkControlPlane(view, configCluster),
  ];
}

/** It is one of the remotes, the only one, and has no istiod. */
function checkItsRemote({ spec }: SpecView, configCluster: string): Problem[] {
  const remotes = spec.multiCluster?.remotes ?? [];
  if (!remotes.some((remote) => remote?.clusterName === configCluster)) {
    const message = `must be one of ${path}.remotes, but is ${configCluster}: say there how the operator gets in`;
    return [{ path: `${path}.configCluster`, message }];
  }
  return remotes.flatMap((remote, index): Problem[] => {
    if (remote === undefined) return [];
    const at = `${path}.remotes[${index}]`;
    if (remote.clusterName !== configCluster) {
      const message = `must not be given beside configCluster ${configCluster}, whose istiod is for that cluster alone: give it an istiod of its own`;
      return [{ path: at, message }];
    }
    if (remote.role === 'Remote') return [];
    return [
      { path: `${at}.role`, message: 'must be Remote: it is the configCluster, and follows this istiod' },
    ];
  });
}

/** Neither proxies of the mesh nor resources of Istio are in this cluster. */
function checkWhatIsElsewhere(view: SpecView, configCluster: string): Problem[] {
  const { spec } = view;
  const { components = {}, multiCluster, sidecarInjector, revisionTags, security, telemetry } = spec;
  const ofProxies = [
    ...(multiCluster?.network === undefined ? [] : [`${path}.network`]),
    ...(['cni', 'ztunnel'] as const)
      .filter((name) => components[name] !== undefined && components[name].enabled !== false)
      .map((name) => `spec.components.${name}`),
    ...gatewaysOf(view).flatMap(({ path: at, gateway }) => (gateway.enabled === false ? [] : [at])),
    ...(sidecarInjector === undefined || sidecarInjector.enabled === false ? [] : ['spec.sidecarInjector']),
    ...(revisionTags === undefined ? [] : ['spec.revisionTags']),
  ];
  const ofIstio = [
    ...(security === undefined ? [] : ['spec.security']),
    ...Object.keys(telemetry ?? {})
      .filter((block) => block !== 'monitoring')
      .map((block) => `spec.telemetry.${block}`),
  ];
  const leftOut = (why: string) => (at: string) => ({
    path: at,
    message: `must be left out with ${path}.configCluster: ${why}`,
  });
  return [
    ...(profileOf(spec) === 'minimal' ? [] : [notMinimal]),
    ...ofProxies.map(
      leftOut(`proxies are in cluster ${configCluster} alone, whose MeshOperator may have it`),
    ),
    ...ofIstio.map(leftOut(`resources of Istio count in cluster ${configCluster}: apply them there`)),
  ];
}

const notMinimal = {
  path: 'spec.profile',
  message: `must be minimal, or be left out, with ${path}.configCluster: istiod runs here, and nothing else of the mesh`,
};

function checkControlPlane(view: SpecView, configCluster: string): Problem[] {
  const { components, upgrade, certificateAuthority } = view.spec;
  const { provider = 'SelfSigned' } = certificateAuthority ?? {};
  const problems: Problem[] = [];
  if (components?.pilot?.enabled === false) {
    const message = `must not be false with ${path}.configCluster, which is for an istiod that runs here`;
    problems.push({ path: 'spec.components.pilot.enabled', message });
  }
  if (upgrade?.strategy === 'RevisionBased') {
    const message = `must be InPlace with ${path}.configCluster: which istiod a namespace follows is decided in cluster ${configCluster}`;
    problems.push({ path: 'spec.upgrade.strategy', message });
  }
  if (!ownProviders.includes(provider)) {
    const message = `must be ${listed} with ${path}.configCluster: the operator brings its roots to that cluster`;
    problems.push({ path: 'spec.certificateAuthority.provider', message });
  }
  for (const variable of pilotVariable(view, gatewayDeployments)) {
    if (variable.value === 'false') continue;
    const message = `must be left out with ${path}.configCluster: istiod has no right to deploy gateways in cluster ${configCluster}`;
    problems.push({ path: variable.path, message });
  }
  return problems;
}

/** Authorities whose keys are the operator's to give to istiod. */
const ownProviders = ['SelfSigned', 'PluggedIn', 'CertManager'];
const listed = 'SelfSigned, PluggedIn or CertManager';
