import { z } from 'zod';
import { isRecord } from '../base/stable-json.ts';
import { meshOperatorApiVersion, meshOperatorKind } from './mesh-operator.ts';
import { meshOperatorSpecSchema } from './mesh-operator-spec.ts';
import type { Problem } from './problem.ts';
import { dnsLabelRule } from './spec/field-format.ts';
import { findSchemaProblems, notOneOf, unknownKey } from './validation/schema-problems.ts';
import { specChecks } from './validation/spec-checks.ts';
import type { SpecView } from './validation/spec-view.ts';
import { valueText } from './validation/value-text.ts';

/** Deeper than any meaningful spec, and shallow enough for every recursive walk. */
const maxDepth = 100;

/**
 * Every problem of a MeshOperator, ordered by path; empty when it is valid.
 * Takes whatever a file or the API server gives and never throws. `status` and most of `metadata` are not looked at.
 */
export function validateMeshOperator(object: unknown): Problem[] {
  const json = asJson(object);
  if ('problem' in json) return [json.problem];
  const { value } = json;
  if (!isRecord(value)) return [{ path: '', message: `must be a MeshOperator, but is ${valueText(value)}` }];
  const envelope = [...checkTopLevel(value), ...checkMetadata(value.metadata)];
  return ordered([
    ...envelope,
    ...checkRoomForVersion(value),
    ...validateSpec(value.spec, namespaceOf(value.metadata)),
  ]);
}

function validateSpec(spec: unknown, namespace: string): Problem[] {
  if (spec === undefined) return [];
  const wrapped = z.strictObject({ spec: meshOperatorSpecSchema });
  const { problems, draft } = findSchemaProblems(wrapped, { spec });
  const view: SpecView = { namespace, spec: draft.spec ?? {} };
  return [...problems, ...specChecks.flatMap((check) => check(view))];
}

/** A copy that holds nothing but JSON, so that no getter, class or cycle meets a check. */
function asJson(object: unknown): { readonly value: unknown } | { readonly problem: Problem } {
  try {
    const value: unknown = JSON.parse(JSON.stringify(object) ?? 'null');
    if (isDeeperThan(value, maxDepth)) {
      return { problem: { path: '', message: `must not be nested deeper than ${maxDepth} levels` } };
    }
    return { value };
  } catch {
    return {
      problem: { path: '', message: 'must be a JSON document: it refers to itself, or is nested too deeply' },
    };
  }
}

function isDeeperThan(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return limit === 0 || Object.values(value).some((inner) => isDeeperThan(inner, limit - 1));
}

const topLevelKeys = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];

function checkTopLevel(object: Record<string, unknown>): Problem[] {
  const problems = Object.keys(object)
    .filter((key) => !topLevelKeys.includes(key))
    .map((key) => unknownKey(key, key, topLevelKeys));
  if (object.apiVersion !== meshOperatorApiVersion) {
    problems.push(notOneOf('apiVersion', [meshOperatorApiVersion], object.apiVersion));
  }
  if (object.kind !== meshOperatorKind) problems.push(notOneOf('kind', [meshOperatorKind], object.kind));
  return problems;
}

function checkMetadata(metadata: unknown): Problem[] {
  if (!isRecord(metadata)) return [{ path: 'metadata', message: 'is required, with name and namespace' }];
  return [
    ...checkLabelName('metadata.name', metadata.name, 'is required'),
    ...checkLabelName(
      'metadata.namespace',
      metadata.namespace,
      'is required: the control plane lives in the namespace of its MeshOperator, usually istio-system',
    ),
  ];
}

/** Name and namespace of a mesh are label values on every object of it, which are shorter than names may be. */
function checkLabelName(path: string, name: unknown, missing: string): Problem[] {
  if (name === undefined || name === null || name === '') return [{ path, message: missing }];
  if (typeof name !== 'string') return [{ path, message: `must be text, but is ${valueText(name)}` }];
  if (name.length > dnsLabelRule.maxLength) {
    return [
      {
        path,
        message: `must not be longer than ${dnsLabelRule.maxLength} characters: it is a label of every object`,
      },
    ];
  }
  return /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name) ? [] : [{ path, message: dnsLabelRule.message }];
}

/** `-1-999-99` is appended to the name by the control planes of a mesh, whose objects carry theirs as a label. */
const longestNameWithVersions = dnsLabelRule.maxLength - 9;

function checkRoomForVersion({ metadata, spec }: Record<string, unknown>): Problem[] {
  const name = isRecord(metadata) ? metadata.name : undefined;
  const upgrade = isRecord(spec) ? spec.upgrade : undefined;
  const isRevisionBased = isRecord(upgrade) && upgrade.strategy === 'RevisionBased';
  if (!isRevisionBased || typeof name !== 'string' || name.length <= longestNameWithVersions) return [];
  const message = `must not be longer than ${longestNameWithVersions} characters with spec.upgrade.strategy RevisionBased, which appends the version`;
  return [{ path: 'metadata.name', message }];
}

function namespaceOf(metadata: unknown): string {
  return isRecord(metadata) && typeof metadata.namespace === 'string' ? metadata.namespace : '';
}

/** By path, list indexes as numbers; one problem once. */
function ordered(problems: readonly Problem[]): Problem[] {
  const unique = new Map(problems.map((problem) => [`${problem.path}\n${problem.message}`, problem]));
  return [...unique.values()].sort(
    (a, b) => comparePaths(a.path, b.path) || (a.message < b.message ? -1 : Number(a.message > b.message)),
  );
}

function comparePaths(a: string, b: string): number {
  const parts = [a.split(/[.[\]]+/), b.split(/[.[\]]+/)] as const;
  for (let index = 0; index < Math.max(parts[0].length, parts[1].length); index++) {
    const [left = '', right = ''] = [parts[0][index], parts[1][index]];
    if (left === right) continue;
    const difference = Number(left) - Number(right);
    if (left !== '' && right !== '' && !Number.isNaN(difference)) return difference;
    return left < right ? -1 : 1;
  }
  return 0;
}
