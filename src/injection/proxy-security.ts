import type { JsonObject } from '../api/resolved-mesh.ts';
import { names } from './annotation-names.ts';
import { proxyMetadataOf } from './effective-proxy-config.ts';
import type { InjectionFacts } from './injection-facts.ts';
import { annotationOf } from './pod.ts';
import { parseBoolean } from './validate-annotations.ts';

/** The user that the proxy runs as, and whose traffic is not captured. */
export const proxyUid = 1337;

/** The security context of a sidecar: nothing that its way of capturing traffic does not need. */
export function sidecarSecurityContext(facts: InjectionFacts): JsonObject {
  const { privileged } = facts.mesh.injection;
  if (isTracingIptables(facts)) {
    return {
      ...contextOf({ privileged: true, add: ['NET_ADMIN'], isReadOnly: true, uid: 0, gid: proxyUid }),
      ...seccomp(facts),
    };
  }
  const add = [
    ...(facts.interceptionMode === 'TPROXY' ? ['NET_ADMIN'] : []),
    ...(needsLowPorts(facts) ? ['NET_BIND_SERVICE'] : []),
  ];
  const uid = add.length > 0 ? 0 : proxyUid;
  return { ...contextOf({ privileged, add, isReadOnly: true, uid, gid: proxyUid }), ...seccomp(facts) };
}

/** The security context of the container that captures traffic; the one that only checks needs nothing. */
export function trafficSecurityContext(facts: InjectionFacts): JsonObject {
  const { privileged, cni } = facts.mesh.injection;
  const context = cni.enabled
    ? contextOf({ privileged, add: [], isReadOnly: true, uid: proxyUid, gid: proxyUid })
    : contextOf({ privileged, add: ['NET_ADMIN', 'NET_RAW'], isReadOnly: false, uid: 0, gid: 0 });
  return { ...context, ...seccomp(facts) };
}

function contextOf(options: {
  privileged: boolean;
  add: string[];
  isReadOnly: boolean;
  uid: number;
  gid: number;
}): JsonObject {
  return {
    allowPrivilegeEscalation: options.privileged,
    privileged: options.privileged,
    capabilities: { ...(options.add.length === 0 ? {} : { add: options.add }), drop: ['ALL'] },
    readOnlyRootFilesystem: options.isReadOnly,
    runAsUser: options.uid,
    runAsGroup: options.gid,
    runAsNonRoot: options.uid !== 0,
  };
}

function seccomp({ mesh }: InjectionFacts): JsonObject {
  const { seccompProfile } = mesh.injection;
  return seccompProfile === undefined ? {} : { seccompProfile };
}

function needsLowPorts({ pod, mesh }: InjectionFacts): boolean {
  const asked = annotationOf(pod, names.capNetBindService);
  return asked === undefined ? mesh.injection.capNetBindService : parseBoolean(asked) === true;
}

function isTracingIptables({ proxyConfig }: InjectionFacts): boolean {
  return proxyMetadataOf(proxyConfig).some(
    ([name, value]) => name === 'IPTABLES_TRACE_LOGGING' && value === 'true',
  );
}
