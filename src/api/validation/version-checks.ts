import type { Problem } from '../problem.ts';
import { resolveVersion, supportedVersionsText } from '../resolve-version.ts';
import { isAtLeast, istioVersions } from '../versions.ts';
import { notYetIn } from './mesh-config-checks.ts';
import { pilotVariable } from './pilot-variable.ts';
import type { SpecView } from './spec-view.ts';

const compliancePolicy = 'COMPLIANCE_POLICY';

export function checkVersion({ spec }: SpecView): Problem[] {
  if (resolveVersion(spec.version) !== undefined) return [];
  const row = istioVersions.find(({ minor }) => spec.version?.startsWith(`${minor}.`));
  const problem = {
    path: 'spec.version',
    message: `${spec.version} is not supported; supported are ${supportedVersionsText()}`,
  };
  return [row === undefined ? problem : { ...problem, suggestion: row.patch }];
}

/** A tag that names another minor than `version` would run an istiod that our objects are not made for. */
export function checkTagAgainstVersion({ spec }: SpecView): Problem[] {
  const version = resolveVersion(spec.version);
  if (version === undefined) return [];
  const tags = [
    { path: 'spec.tag', tag: spec.tag },
    { path: 'spec.values.global.tag', tag: spec.values?.global?.tag },
    { path: 'spec.values.pilot.tag', tag: spec.values?.pilot?.tag },
    { path: 'spec.values.cni.tag', tag: spec.values?.cni?.tag },
    { path: 'spec.values.ztunnel.tag', tag: spec.values?.ztunnel?.tag },
  ];
  return tags.flatMap(({ path, tag }) => {
    const minor = /^v?([0-9]+\.[0-9]+)\.[0-9]+/.exec(tag ?? '')?.[1];
    if (minor === undefined || minor === version.minor) return [];
    return [
      {
        path,
        message: `${tag} is of minor ${minor}, but the version is ${version.minor}: set spec.version too`,
      },
    ];
  });
}

/** An istiod that does not know a policy says so in its log and complies with none. */
export function checkCompliancePolicy(view: SpecView): Problem[] {
  const version = resolveVersion(view.spec.version);
  if (version === undefined || isAtLeast(version, '1.31')) return [];
  return pilotVariable(view, compliancePolicy).flatMap(({ path, value }) =>
    value === 'fips-140-3' ? [notYetIn(version.minor, '1.31', path)] : [],
  );
}

export function checkRevision({ spec }: SpecView): Problem[] {
  if (spec.revision !== 'default') return [];
  return [
    { path: 'spec.revision', message: 'must not be "default": leave it out for the default control plane' },
  ];
}

/** Two fields that mean the same must not differ: nobody could tell which one counts. */
export function checkImageSource({ spec }: SpecView): Problem[] {
  const global = spec.values?.global;
  const pairs = [
    { field: 'hub', first: spec.hub, second: global?.hub },
    { field: 'tag', first: spec.tag, second: global?.tag },
  ];
  return pairs.flatMap(({ field, first, second }) =>
    first === undefined || second === undefined || first === second
      ? []
      : [
          {
            path: `spec.values.global.${field}`,
            message: `is ${second}, but spec.${field} is ${first}: keep one of them`,
          },
        ],
  );
}

export function checkPause({ spec }: SpecView): Problem[] {
  const pauses = {
    'spec.paused.until': spec.paused?.until,
    'spec.certificateAuthority.rotation.paused.until': spec.certificateAuthority?.rotation?.paused?.until,
  };
  return Object.entries(pauses).flatMap(([path, until]) =>
    until === undefined || isTime(until)
      ? []
      : [{ path, message: `${until} is not a time: there is no such day or hour` }],
  );
}

function isTime(text: string): boolean {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return false;
  // Date accepts 31 April and means 1 May.
  const day = Number(text.slice(8, 10));
  return new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)) - 1, day)).getUTCDate() === day;
}
