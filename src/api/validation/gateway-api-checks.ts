import type { Problem } from '../problem.ts';
import { resolveVersion } from '../resolve-version.ts';
import { isAtLeast, istioVersions } from '../versions.ts';
import type { SpecView } from './spec-view.ts';

const path = 'spec.components.base.gatewayApi';

/** The CRDs are those that the newest minor is built with: an older istiod may look for versions that they do not serve. */
export function checkGatewayApi({ spec }: SpecView): Problem[] {
  const { enabled = true, gatewayApi } = spec.components?.base ?? {};
  if (gatewayApi === undefined) return [];
  if (!enabled)
    return [{ path, message: 'has no effect while base is not enabled: enable it, or remove this' }];
  const version = resolveVersion(spec.version);
  const { minor } = istioVersions[0];
  return version === undefined || isAtLeast(version, minor)
    ? []
    : [
        {
          path,
          message: `brings the CRDs that Istio ${minor} is built with, and the version is ${version.minor}: install those of its own release instead`,
        },
      ];
}
