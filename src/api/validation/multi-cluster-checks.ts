import { goDurationMs } from '../../base/duration.ts';
import { kubeconfigOptions, tokenFileOption } from '../kubeconfig-options.ts';
import type { Problem } from '../problem.ts';
import { profileOf } from '../resolve-multi-cluster.ts';
import { findDuplicates } from './duplicates.ts';
import { pilotVariable } from './pilot-variable.ts';
import { gatewaysOf, type SpecView } from './spec-view.ts';

const path = 'spec.multiCluster';
/** API servers give no token for less (Kubernetes, TokenRequest `expirationSeconds`). */
const leastLifetimeMs = 600_000;

/** The place of a cluster in its mesh, and the ways into the others. */
export function checkMultiCluster(view: SpecView): Problem[] {
  const { spec } = view;
  if (spec.multiCluster === undefined) return [];
  return [
    ...checkMeshId(view),
    ...checkRole(view),
    ...checkAgainstValues(view),
    ...checkRemotes(view),
    ...checkKubeconfigOptions(view),
  ];
}

/** Istio reads an empty one as none, and then takes the trust domain. */
function checkMeshId({ spec }: SpecView): Problem[] {
  const message = 'must not be empty: it is the name of the mesh in all its clusters';
  return spec.multiCluster?.meshID === '' ? [{ path: `${path}.meshID`, message }] : [];
}

function checkRole(view: SpecView): Problem[] {
  const { spec } = view;
  const { role, remotes = [] } = spec.multiCluster ?? {};
  const problems: Problem[] = [];
  if (role === 'Remote' && spec.profile !== undefined && spec.profile !== 'remote') {
    const message = `must be remote, or be left out, with ${path}.role Remote: istiod is in another cluster`;
    problems.push({ path: 'spec.profile', message });
  }
  if (role === 'Primary' && spec.profile === 'remote') {
    const message = 'must be Remote with spec.profile remote, whose istiod is in another cluster';
    problems.push({ path: `${path}.role`, message });
  }
  if (profileOf(spec) === 'remote' && remotes.length > 1) {
    const message = 'must not have more than the cluster with the istiod: that one knows of the others';
    problems.push({ path: `${path}.remotes`, message });
  }
  const follower = remotes.findIndex((remote) => remote?.role === 'Remote');
  const hasWay = gatewaysOf(view).some(
    ({ kind, gateway }) => kind.list === 'eastWestGateways' && gateway.enabled !== false,
  );
  if (follower >= 0 && profileOf(spec) === 'remote') {
    const message = 'must not be Remote in a cluster that has no istiod itself';
    problems.push({ path: `${path}.remotes[${follower}].role`, message });
  } else if (follower >= 0 && !hasWay && spec.multiCluster?.configCluster === undefined) {
    const message = 'needs an east-west gateway in spec.components, by which that cluster reaches istiod';
    problems.push({ path: `${path}.remotes[${follower}].role`, message });
  }
  if (spec.tenancy !== undefined) {
    const message = 'must not be given with spec.tenancy: the namespaces of a tenant are of one cluster';
    problems.push({ path, message });
  }
  return problems;
}

/** istiod reads tokens for other clusters from files, and refuses that unless it is an option. */
function checkKubeconfigOptions(view: SpecView): Problem[] {
  return pilotVariable(view, kubeconfigOptions).flatMap(({ path, value }) => {
    const options = (value ?? '').split(',').filter((option) => option !== '');
    if (options.includes(tokenFileOption)) return [];
    const message = `must have ${tokenFileOption} among its options, or be left out: kubeconfigs of other clusters name files of tokens`;
    return [{ path, message, suggestion: [...options, tokenFileOption].join(',') }];
  });
}

/** The same is said by three Helm values, which may be left out. */
function checkAgainstValues({ spec }: SpecView): Problem[] {
  const { meshID, clusterName, network } = spec.multiCluster ?? {};
  const global = spec.values?.global ?? {};
  const pairs = [
    { field: 'meshID', says: meshID, at: 'spec.values.global.meshID', value: global.meshID },
    { field: 'network', says: network, at: 'spec.values.global.network', value: global.network },
    {
      field: 'clusterName',
      says: clusterName,
      at: 'spec.values.global.multiCluster.clusterName',
      value: global.multiCluster?.clusterName,
    },
  ];
  return pairs.flatMap(({ field, says, at, value }) =>
    value === undefined || value === says || (field !== 'network' && says === undefined)
      ? []
      : [
          {
            path: at,
            message: `must not differ from ${path}.${field}, which is ${says === undefined ? 'not given' : JSON.stringify(says)}: remove it`,
          },
        ],
  );
}

function checkRemotes({ spec }: SpecView): Problem[] {
  const { clusterName, remotes = [] } = spec.multiCluster ?? {};
  const at = `${path}.remotes`;
  const duplicates = findDuplicates(at, remotes, ({ clusterName: name }) =>
    name === undefined ? undefined : `cluster ${name}`,
  );
  const problems = remotes.flatMap((remote, index): Problem[] => {
    if (remote === undefined) return [];
    const here = `${at}[${index}]`;
    const found: Problem[] = [];
    const add = (where: string, message: string) => found.push({ path: where, message });
    if (remote.clusterName !== undefined && remote.clusterName === clusterName)
      add(`${here}.clusterName`, 'must be the name of another cluster than this one');
    if (remote.kubeconfig === undefined && remote.token === undefined)
      add(here, 'must have kubeconfig or token: the Secret that lets the operator into that cluster');
    if (remote.kubeconfig !== undefined && remote.token !== undefined)
      add(`${here}.token`, 'must not be given beside kubeconfig: keep one of them');
    for (const [field, address] of [
      ['server', remote.server],
      ['token.server', remote.token?.server],
      ['proxyURL', remote.proxyURL],
    ]) {
      if (hasImpossiblePort(address)) add(`${here}.${field}`, 'must have a port from 1 to 65535');
    }
    const { type, lifetime } = remote.credential ?? {};
    if (type === 'LongLived' && lifetime !== undefined)
      add(`${here}.credential.lifetime`, 'must be left out with type LongLived, which has no end');
    const lifetimeMs = goDurationMs(lifetime);
    if (lifetimeMs !== undefined && lifetimeMs < leastLifetimeMs)
      add(`${here}.credential.lifetime`, 'must be 10m or more: API servers give no token for less');
    return found;
  });
  return [...duplicates, ...problems];
}

/** What the pattern of an address cannot tell. */
function hasImpossiblePort(address: string | undefined): boolean {
  const port = /:([0-9]+)(\/.*)?$/.exec(address ?? '')?.[1];
  return port !== undefined && Number(port) > 65_535;
}
