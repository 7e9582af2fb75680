import type { Problem } from '../problem.ts';
import { profileOf } from '../resolve-multi-cluster.ts';
import type { SpecView } from './spec-view.ts';

const path = 'spec.certificateAuthority';

/** What the operator would make and rotate itself means nothing to an authority of somebody else. */
export function checkExternalRotation({ spec }: SpecView): Problem[] {
  const authority = spec.certificateAuthority ?? {};
  if (authority.provider !== 'External') return [];
  return (['root', 'intermediate', 'rotation'] as const)
    .filter((block) => authority[block] !== undefined)
    .map((block) => ({
      path: `${path}.${block}`,
      message: 'has no effect with provider External, whose authority decides it: remove it',
    }));
}

/** Proxies ask one address. */
export function checkExternalAddress({ spec }: SpecView): Problem[] {
  const { provider, external } = spec.certificateAuthority ?? {};
  const byValue = spec.values?.global?.caAddress;
  if (provider !== 'External' || external?.address === undefined || byValue === undefined || byValue === '')
    return [];
  if (byValue === external.address) return [];
  return [
    {
      path: 'spec.values.global.caAddress',
      message: `is ${byValue}, but ${path}.external.address is ${external.address}: keep one of them`,
    },
  ];
}

/** Whether istiod signs is said once: by the provider. */
export function checkAuthoritySwitch({ spec }: SpecView): Problem[] {
  const { provider = 'SelfSigned' } = spec.certificateAuthority ?? {};
  const places = [
    { path: 'spec.values.pilot.env.ENABLE_CA_SERVER', value: spec.values?.pilot?.env?.ENABLE_CA_SERVER },
    ...(spec.components?.pilot?.k8s?.env ?? []).flatMap((variable, index) =>
      variable?.name === 'ENABLE_CA_SERVER'
        ? [{ path: `spec.components.pilot.k8s.env[${index}]`, value: variable.value }]
        : [],
    ),
  ];
  const isExternal = provider === 'External';
  return places.flatMap(({ path: place, value }) => {
    if (value === undefined || (value === 'false') === isExternal || provider === 'Istiod') return [];
    const message = isExternal
      ? 'contradicts provider External, whose authority signs instead of istiod: remove it'
      : `contradicts provider ${provider}, with which istiod signs: set ${path}.provider: External, or remove it`;
    return [{ path: place, message }];
  });
}

/** The roots are in one place, where the authority or the operator keeps them. */
export function checkExternalBundle({ spec }: SpecView): Problem[] {
  const isFollower = spec.multiCluster !== undefined && profileOf(spec) === 'remote';
  if (spec.certificateAuthority?.provider !== 'External' && !isFollower) return [];
  const { values } = spec;
  const where = isFollower ? 'in a remote cluster' : 'with provider External';
  const given = [
    { path: 'spec.values.global.trustBundleName', isSet: Boolean(values?.global?.trustBundleName) },
    {
      path: 'spec.values.pilot.env.ENABLE_CLUSTER_TRUST_BUNDLE_API',
      isSet: values?.pilot?.env?.ENABLE_CLUSTER_TRUST_BUNDLE_API === 'true',
    },
  ];
  return given
    .filter(({ isSet }) => isSet)
    .map((place) => ({
      path: place.path,
      message: `has proxies look for their roots where nobody puts them: ${where} they are in ConfigMap istio-ca-root-cert; remove it`,
    }));
}
