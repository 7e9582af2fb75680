import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { messageOf } from '../../base/errors.ts';
import { isRecord } from '../../base/stable-json.ts';
import type { Problem } from '../problem.ts';
import { egressTlsPort, wholeNamespacePolicy } from '../resolve-security.ts';
import type { Jwt } from '../spec/security.ts';
import { findDuplicates } from './duplicates.ts';
import { nearestName } from './nearest-name.ts';
import { checkPrometheusWindow } from './prometheus-window.ts';
import type { Draft } from './schema-problems.ts';
import { type GatewayView, gatewaysOf, meshConfigsOf, rootNamespaceOf, type SpecView } from './spec-view.ts';

const path = 'spec.security';

/**
 * Cipher suites that an Envoy knows, by their OpenSSL names (Istio pkg/config/security/security.go, ValidCipherSuites).
 * istiod drops others silently.
 */
export const cipherSuites: readonly string[] = [
  ...['ECDSA', 'RSA'].flatMap((key) => [
    `ECDHE-${key}-AES128-GCM-SHA256`,
    `ECDHE-${key}-AES256-GCM-SHA384`,
    `ECDHE-${key}-CHACHA20-POLY1305`,
    `ECDHE-${key}-AES128-SHA`,
    `ECDHE-${key}-AES256-SHA`,
  ]),
  ...['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'AES128-SHA', 'AES256-SHA', 'DES-CBC3-SHA'],
];

/** Each policy is one object, and one object means one thing. */
export function checkSecurityPolicies(view: SpecView): Problem[] {
  const { mtls, authorization, jwt = [] } = view.spec.security ?? {};
  const root = rootNamespaceOf(view);
  return [
    ...findDuplicates(`${path}.mtls.namespaces`, mtls?.namespaces ?? [], ({ namespace }) => namespace),
    ...findDuplicates(`${path}.mtls.workloads`, mtls?.workloads ?? [], placeIn(root)),
    ...findDuplicates(`${path}.authorization.allow`, authorization?.allow ?? [], placeIn(root)),
    ...findDuplicates(`${path}.jwt`, jwt, placeIn(root)),
    ...duplicateIssuers(view),
    ...(mtls?.namespaces ?? []).flatMap((policy, index) =>
      policy?.namespace === root
        ? [
            problem(
              `mtls.namespaces[${index}].namespace`,
              `is the root namespace, whose mode is that of the whole mesh: set ${path}.mtls.mode alone`,
            ),
          ]
        : [],
    ),
    ...checkPrometheusWindow(`${path}.mtls.migration.window`, mtls?.migration?.window),
    ...(mtls?.workloads ?? []).flatMap((policy, index) =>
      checkPeer(view, `mtls.workloads[${index}]`, policy),
    ),
    ...(authorization?.allow ?? []).flatMap((policy, index) =>
      hasNoLabels(policy) ? [problem(`authorization.allow[${index}].labels`, emptyLabels)] : [],
    ),
    ...jwt.flatMap((issuer, index) =>
      hasNoLabels(issuer) ? [problem(`jwt[${index}].labels`, emptyLabels)] : [],
    ),
  ];
}

type Peer = NonNullable<NonNullable<NonNullable<SpecView['spec']['security']>['mtls']>['workloads']>[number];

function checkPeer(view: SpecView, at: string, policy: Peer | undefined): Problem[] {
  if (policy === undefined) return [];
  const ports = policy.ports ?? [];
  const namespaces = view.spec.security?.mtls?.namespaces ?? [];
  const rival =
    policy.name === wholeNamespacePolicy
      ? namespaces.findIndex((other) => other !== undefined && other.namespace === policy.namespace)
      : -1;
  return [
    ...(rival < 0
      ? []
      : [
          problem(
            `${at}.name`,
            `is the name of the policy of ${path}.mtls.namespaces[${rival}]: choose another`,
          ),
        ]),
    ...(policy.namespace === rootNamespaceOf(view)
      ? [
          problem(
            `${at}.namespace`,
            'is the root namespace, where Istio passes over modes of single workloads: remove it',
          ),
        ]
      : []),
    ...(hasNoLabels(policy) ? [problem(`${at}.labels`, emptyLabels)] : []),
    ...(policy.mode === undefined && ports.length === 0
      ? [problem(at, 'says nothing: give a mode, or ports with one')]
      : []),
    ...findDuplicates(`${path}.${at}.ports`, ports, ({ port }) => port?.toString()),
  ];
}

const emptyLabels =
  'must name a label: without one, leave it out for all pods, or set the mode of the namespace';

function hasNoLabels(policy: { readonly labels?: object | undefined } | undefined): boolean {
  return policy?.labels !== undefined && Object.keys(policy.labels).length === 0;
}

export function checkJwtKeys({ spec }: SpecView): Problem[] {
  return (spec.security?.jwt ?? []).flatMap((issuer, index) => {
    const at = `jwt[${index}]`;
    if (issuer === undefined) return [];
    const { jwks, jwksUri } = issuer;
    if (jwks !== undefined && jwksUri !== undefined) {
      return [problem(`${at}.jwks`, 'has no effect beside jwksUri: remove one of them')];
    }
    if (jwks !== undefined) return keySetProblems(jwks).map((message) => problem(`${at}.jwks`, message));
    const isFound = jwksUri !== undefined || issuer.issuer === undefined || isAddress(issuer.issuer);
    if (isFound) return [];
    return [problem(`${at}.issuer`, `is no address, so its keys cannot be found: give jwksUri or jwks`)];
  });
}

function isAddress(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text);
}

/** What is wrong with a key set; never quotes it, since it may hold a private key. */
function keySetProblems(text: string): string[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return ['must be JSON: a JSON Web Key Set such as {"keys": [...]}'];
  }
  const keys = isRecord(parsed) ? parsed.keys : undefined;
  if (!Array.isArray(keys) || keys.length === 0) return ['must have a list "keys" with at least one key'];
  const problems = keys.flatMap((key, index) =>
    keyProblems(key).map((message) => `keys[${index}] ${message}`),
  );
  if (problems.length > 0 || keys.some(isUsable)) return problems;
  return ['has no key that proxies can use: they know RSA, the curves P-256, P-384 and P-521, and Ed25519'];
}

/** Whether an Envoy verifies tokens with it (jwt_verify_lib, jwks.cc); it passes over other keys of a set. */
function isUsable({ kty, crv }: JsonWebKey): boolean {
  return kty === 'RSA' || ['P-256', 'P-384', 'P-521', 'Ed25519'].includes(crv ?? '');
}

function keyProblems(key: unknown): string[] {
  if (!isRecord(key)) return ['must be an object'];
  if (key.kty === 'oct') return ['is a shared secret: proxies take public keys alone'];
  if (key.d !== undefined)
    return ['is a private key: give its public part, and replace it, since it was written down'];
  try {
    createPublicKey({ key: key as JsonWebKey, format: 'jwk' });
    return [];
  } catch (error) {
    return [`is no public key (${messageOf(error)})`];
  }
}

/** Where tokens are required, Istio refuses connections that have none, as are those that a gateway passes on by their server name. */
export function checkRequiredTokens(view: SpecView): Problem[] {
  const { jwt = [], egress } = view.spec.security ?? {};
  const root = rootNamespaceOf(view);
  const passing = gatewaysOf(view).filter(
    ({ kind, gateway }) =>
      gateway.enabled !== false &&
      (kind.list === 'eastWestGateways' ||
        (kind.list === 'egressGateways' && egress !== undefined && gateway.name === egress.gateway)),
  );
  return jwt.flatMap((issuer, index) => {
    if (issuer?.required !== true || issuer.labels !== undefined) return [];
    const { namespace = root } = issuer;
    return passing
      .filter(({ gateway }) => namespace === root || namespace === (gateway.namespace ?? view.namespace))
      .map(({ gateway }) =>
        problem(
          `jwt[${index}].required`,
          `refuses all that is not HTTP, and with it what gateway ${gateway.name} passes on: name other pods by namespace or labels`,
        ),
      );
  });
}

export function checkTlsSettings({ spec }: SpecView): Problem[] {
  const { tls } = spec.security ?? {};
  const suites = (tls?.cipherSuites ?? []).filter((suite) => suite !== undefined);
  const unknown = suites.flatMap((suite, index) => {
    if (cipherSuites.includes(suite)) return [];
    const meant = nearestName(suite, cipherSuites);
    const hint = meant === undefined ? `there are ${cipherSuites.join(', ')}` : `did you mean ${meant}?`;
    return [problem(`tls.cipherSuites[${index}]`, `${suite} is no cipher suite that proxies know: ${hint}`)];
  });
  const idle =
    suites.length > 0 && tls?.minVersion === 'TLSV1_3'
      ? [
          problem(
            'tls.cipherSuites',
            'has no effect with minVersion TLSV1_3, which has suites of its own: remove it',
          ),
        ]
      : [];
  return [...unknown, ...findDuplicates(`${path}.tls.cipherSuites`, suites, (suite) => suite), ...idle];
}

/** What is said here and in MeshConfig would be said twice. */
export function checkSecurityAgainstMeshConfig(view: SpecView): Problem[] {
  const { tls, egress } = view.spec.security ?? {};
  const rivals: readonly [string, unknown, readonly string[]][] = [
    ['tls', tls, ['meshMTLS', 'tlsDefaults']],
    ['egress', egress, ['outboundTrafficPolicy']],
  ];
  return rivals.flatMap(([field, setting, names]) =>
    setting === undefined
      ? []
      : meshConfigsOf(view).flatMap(({ at, config }) =>
          names
            .filter((name) => config[name] !== undefined)
            .map((name) => problem(field, `says the same as ${at}.${name}: remove one of them`)),
        ),
  );
}

export function checkEgress(view: SpecView): Problem[] {
  const { egress } = view.spec.security ?? {};
  if (egress === undefined) return [];
  const gateways = gatewaysOf(view).filter(
    ({ kind, gateway }) => kind.list === 'egressGateways' && gateway.enabled !== false,
  );
  const chosen = gateways.find(({ gateway }) => gateway.name === egress.gateway);
  const known = gateways.flatMap(({ gateway }) => (gateway.name === undefined ? [] : [gateway.name]));
  const advice =
    known.length === 0 ? 'add one' : `there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}`;
  return [
    ...(egress.gateway === undefined || chosen !== undefined
      ? []
      : [
          problem(
            'egress.gateway',
            `there is no egress gateway ${egress.gateway} in spec.components.egressGateways: ${advice}`,
          ),
        ]),
    ...(chosen === undefined ? [] : checkEgressPort(chosen)),
    ...findDuplicates(`${path}.egress.hosts`, egress.hosts ?? [], ({ host }) => host),
  ];
}

function checkEgressPort({ path: at, kind, gateway }: GatewayView): Problem[] {
  const ports = gateway.k8s?.service?.ports ?? kind.ports;
  if (ports.some((port) => port?.port === egressTlsPort)) return [];
  return [
    problem(
      'egress.gateway',
      `${gateway.name} takes TLS at port ${egressTlsPort}, which its Service does not have: add it to ${at}.k8s.service.ports`,
    ),
  ];
}

function duplicateIssuers(view: SpecView): Problem[] {
  const root = rootNamespaceOf(view);
  const identity = ({ issuer, namespace = root, labels = {} }: Draft<Jwt>) =>
    issuer === undefined ? undefined : JSON.stringify([issuer, namespace, Object.entries(labels).sort()]);
  return findDuplicates(`${path}.jwt`, view.spec.security?.jwt ?? [], identity).map(({ path: at }) => ({
    path: `${at}.issuer`,
    message: 'is already an issuer for the same pods: put audiences and headers into one entry',
  }));
}

function placeIn(root: string) {
  return ({
    name,
    namespace = root,
  }: {
    readonly name?: string | undefined;
    readonly namespace?: string | undefined;
  }) => (name === undefined ? undefined : `${namespace}/${name}`);
}

function problem(field: string, message: string): Problem {
  return { path: `${path}.${field}`, message };
}
