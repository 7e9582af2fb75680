import { load } from 'js-yaml';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { isRecord, stableJson } from '../../src/base/stable-json.ts';

/** One object as a set of statements, `path` -> value, in which the order of keyed lists does not matter. */
export type Facts = ReadonlyMap<string, string>;

/** By which field the items of a list are told apart, where the list is a map in disguise. */
const listKeys: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  env: ['name'],
  volumes: ['name'],
  volumeMounts: ['mountPath'],
  webhooks: ['name'],
  ports: ['containerPort', 'port', 'number'],
  subjects: ['name'],
  items: ['path'],
};

/**
 * What an object says, in a form in which two ways of writing one thing are equal: RBAC rules as single
 * permissions, the API server's own defaults left out, YAML and JSON in a ConfigMap as data.
 */
export function objectFacts(object: KubernetesObject): Facts {
  const facts = new Map<string, string>();
  const { rules, ...rest } = object;
  if (object.kind === 'ClusterRole' || object.kind === 'Role') addPermissions(facts, rules);
  else if (rules !== undefined) throw new Error(`${object.kind} with rules is not known here`);
  addFacts(facts, '', rest);
  return facts;
}

function addPermissions(facts: Map<string, string>, rules: unknown): void {
  for (const rule of Array.isArray(rules) ? rules : []) {
    const { apiGroups = [], resources = [], verbs = [], ...rest } = rule as Record<string, string[]>;
    for (const group of apiGroups) {
      for (const resource of resources) {
        for (const verb of verbs) facts.set(`may ${verb} ${group}/${resource}`, stableJson(rest));
      }
    }
  }
}

function addFacts(facts: Map<string, string>, path: string, value: unknown): void {
  if (isRecord(value)) {
    addRecord(facts, path, canonical(path, value));
    return;
  }
  const keys = listKeys[path.slice(path.lastIndexOf('.') + 1)];
  if (Array.isArray(value) && keys !== undefined) {
    for (const item of value as Record<string, unknown>[]) {
      const key = keys.find((name) => item[name] !== undefined);
      if (key === undefined) throw new Error(`${path}: an item has none of ${keys.join(', ')}`);
      const { [key]: name, ...rest } = item;
      addFacts(facts, `${path}[${name}]`, rest);
    }
    return;
  }
  if (/\.(rules|resourceRules)$/.test(path) && Array.isArray(value)) {
    facts.set(path, stableJson(value.map((rule) => without(rule, { scope: '*' }))));
    return;
  }
  if (/data\.(mesh|meshNetworks|AMBIENT_ENABLEMENT_SELECTOR)$/.test(path)) {
    facts.set(path, stableJson(load(String(value))));
    return;
  }
  if (path.endsWith('data.config.json')) {
    addFacts(facts, path, JSON.parse(String(value)));
    return;
  }
  if (value !== null && value !== undefined && value !== '') facts.set(path, stableJson(value));
}

function addRecord(facts: Map<string, string>, path: string, record: Record<string, unknown>): void {
  if (Object.keys(record).length === 0) facts.set(path, '{}');
  for (const [name, inner] of Object.entries(record)) {
    addFacts(facts, path === '' ? name : `${path}.${name}`, inner);
  }
}

/** The record without what the API server would add by itself. */
function canonical(path: string, record: Record<string, unknown>): Record<string, unknown> {
  const field = path.slice(path.lastIndexOf('.') + 1);
  if (field === 'fieldRef') return without(record, { apiVersion: 'v1' });
  if (field === 'httpGet') return without(record, { scheme: 'HTTP' });
  if (field.endsWith('Probe')) return without(record, { successThreshold: 1 });
  if (field === 'service') return without(record, { port: 443 });
  if (field === 'configMap') return without(record, { defaultMode: 0o644 });
  if (path.endsWith('updateStrategy.rollingUpdate')) return without(record, { maxSurge: 0 });
  if (field === 'strategy') return without(record, { type: 'RollingUpdate' });
  if (/\.ports\[\d+\]$/.test(path)) return without(record, { protocol: 'TCP', targetPort: portOf(path) });
  return record;
}

function portOf(path: string): number {
  return Number(/\[(\d+)\]$/.exec(path)?.[1]);
}

function without(
  record: Record<string, unknown>,
  defaults: Record<string, unknown>,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([name, value]) => defaults[name] !== value));
}

/** Lines `path: theirs -> ours`, with `nothing` for the side that does not say it. */
export function factDifferences(theirs: Facts, ours: Facts): string[] {
  const paths = [...new Set([...theirs.keys(), ...ours.keys()])].sort();
  return paths
    .filter((path) => theirs.get(path) !== ours.get(path))
    .map((path) => `${path}: ${theirs.get(path) ?? 'nothing'} -> ${ours.get(path) ?? 'nothing'}`);
}
