import type { Problem } from '../problem.ts';
import { profileOf } from '../resolve-multi-cluster.ts';
import type { SpecView } from './spec-view.ts';

const ofControlPlane = 'has no effect in a remote cluster: set it in the MeshOperator of the control plane';

/** A mesh whose istiod is in another cluster. */
export function checkRemote({ spec }: SpecView): Problem[] {
  const address = spec.values?.global?.remotePilotAddress;
  if (profileOf(spec) !== 'remote') {
    if (address === undefined) return [];
    const message = 'counts only with spec.profile remote, whose istiod is in another cluster';
    return [{ path: 'spec.values.global.remotePilotAddress', message }];
  }
  return [
    ...(spec.components?.pilot?.enabled === true
      ? [
          {
            path: 'spec.components.pilot.enabled',
            message: 'must not be true with spec.profile remote, whose istiod is in another cluster',
          },
        ]
      : []),
    ...(spec.upgrade?.strategy === 'RevisionBased'
      ? [
          {
            path: 'spec.upgrade.strategy',
            message: 'must be InPlace with spec.profile remote, which has no control plane of its own',
          },
        ]
      : []),
    ...(keepsAuthority(spec.certificateAuthority)
      ? [{ path: 'spec.certificateAuthority', message: ofControlPlane }]
      : []),
    ...[
      ...(spec.security === undefined ? [] : ['spec.security']),
      // Who watches is a matter of each cluster.
      ...Object.keys(spec.telemetry ?? {})
        .filter((block) => block !== 'monitoring')
        .map((block) => `spec.telemetry.${block}`),
    ].map((path) => ({
      path,
      message: `${ofControlPlane}; or where this cluster is its configCluster, apply resources of Istio here`,
    })),
  ];
}

/** Where another authority or SPIRE issues certificates, each cluster has to know. */
function keepsAuthority(authority: { readonly provider?: string | undefined } | undefined): boolean {
  return authority !== undefined && authority.provider !== 'External' && authority.provider !== 'Spire';
}
