import { isRecord } from '../../base/stable-json.ts';
import { meshConfigMessages } from '../mesh-config-messages.ts';
import type { Problem } from '../problem.ts';
import { meshConfigMessage, networkMessage } from '../proto-fields.ts';
import { resolveVersion } from '../resolve-version.ts';
import { istioVersions } from '../versions.ts';
import { findProtoProblems } from './proto-problems.ts';
import { meshConfigsOf, type SpecView, valueAt } from './spec-view.ts';

export function checkMeshConfig({ spec }: SpecView): Problem[] {
  const documents = [
    { path: ['spec', 'meshConfig'], document: spec.meshConfig },
    { path: ['spec', 'values', 'meshConfig'], document: spec.values?.meshConfig },
  ];
  return documents.flatMap(({ path, document }) =>
    document === undefined ? [] : findProblems(spec.version, meshConfigMessage, document, path),
  );
}

/**
 * Where spans go over HTTP. Istio's API calls 3s the default, but istiod fills in none, and then each Envoy refuses every
 * listener that has the provider (`HttpUri.timeout` of Envoy's API is required).
 */
export function checkHttpTimeouts(view: SpecView): Problem[] {
  return meshConfigsOf(view).flatMap(({ at, config }) => {
    const providers: readonly unknown[] = Array.isArray(config.extensionProviders)
      ? config.extensionProviders
      : [];
    return providers.flatMap((provider, index) => {
      const here = `${at}.extensionProviders[${index}].opentelemetry`;
      const exporter = valueAt(provider, 'opentelemetry.http');
      const sampler = valueAt(provider, 'opentelemetry.dynatraceSampler.httpService');
      return [
        ...(isRecord(exporter) ? requireTimeout(`${here}.http`, exporter) : []),
        ...(isRecord(sampler)
          ? requireTimeout(`${here}.dynatraceSampler.httpService.http`, sampler.http)
          : []),
      ];
    });
  });
}

function requireTimeout(at: string, service: unknown): Problem[] {
  // A null means "not set".
  if ((valueAt(service, 'timeout') ?? null) !== null) return [];
  const message =
    'is required, though Istio documents a default: without it proxies refuse every listener; set it, for example to 3s';
  return [{ path: `${at}.timeout`, message }];
}

export function checkMeshNetworks({ spec }: SpecView): Problem[] {
  const networks = spec.values?.global?.meshNetworks;
  if (!isRecord(networks)) return [];
  return Object.entries(networks).flatMap(([name, network]) =>
    findProblems(spec.version, networkMessage, network, ['spec', 'values', 'global', 'meshNetworks', name]),
  );
}

/** The problems of a document in the minor that a version names; what only newer minors have is said to be theirs. */
function findProblems(
  version: string | undefined,
  message: string,
  document: unknown,
  path: readonly string[],
): Problem[] {
  const minor = resolveVersion(version)?.minor ?? istioVersions[0].minor;
  const problemsIn = (name: string) => findProtoProblems(meshConfigMessages(name), message, document, path);
  const problems = problemsIn(minor);
  if (problems.length === 0) return [];

  const newer = istioVersions
    .slice(
      0,
      istioVersions.findIndex((row) => row.minor === minor),
    )
    .reverse();
  const pathsIn = newer.map((row) => ({
    minor: row.minor,
    paths: new Set(problemsIn(row.minor).map((problem) => problem.path)),
  }));
  return problems.map((problem) => {
    const knownBy = pathsIn.find(({ paths }) => !paths.has(problem.path));
    return knownBy === undefined ? problem : notYetIn(minor, knownBy.minor, problem.path);
  });
}

/** What a spec asks for exists in newer minors alone. */
export function notYetIn(minor: string, knownBy: string, path: string): Problem {
  return {
    path,
    message: `is not in Istio ${minor}, but from ${knownBy} on: leave it out, or set spec.version to ${knownBy}`,
  };
}
