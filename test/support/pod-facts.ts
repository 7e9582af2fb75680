import { load } from 'js-yaml';
import { quantityValue } from '../../src/api/quantity.ts';
import { isRecord, stableJson } from '../../src/base/stable-json.ts';
import { mergeKeyOf } from '../../src/injection/strategic-merge.ts';
import type { Facts } from './object-facts.ts';

/** Annotations and environment variables whose text is a document: its layout means nothing. */
const documents =
  /(annotations\.(sidecar\.istio\.io\/status|proxy\.istio\.io\/overrides|k8s\.v1\.cni\.cncf\.io\/networks)|\[(PROXY_CONFIG|ISTIO_META_POD_PORTS|ISTIO_KUBE_APP_PROBERS|ISTIO_PROMETHEUS_ANNOTATIONS)\]\.value)$/;

/** Lists whose order means something beside what is in them. */
const ordered = ['containers', 'initContainers'];

/**
 * What a pod says, one statement a line, `path` -> value: two ways of writing one thing are equal, the order of keyed
 * lists does not count, but that of containers is a statement of its own.
 */
export function podFacts(pod: unknown): Facts {
  const facts = new Map<string, string>();
  addFacts(facts, '', pod);
  return facts;
}

function addFacts(facts: Map<string, string>, path: string, value: unknown): void {
  if (value === null || value === undefined || value === '') return;
  const field = path.slice(path.lastIndexOf('.') + 1);
  if (field === 'initialDelaySeconds' && value === 0) return;
  if (documents.test(path) && typeof value === 'string') addDocument(facts, path, value);
  else if (isRecord(value)) addRecord(facts, path, value);
  else if (Array.isArray(value)) addList(facts, path, field, value);
  else if (/\.(limits|requests)\.[^.]+$/.test(path)) {
    facts.set(path, String(quantityValue(value as string | number) ?? value));
  } else facts.set(path, stableJson(value));
}

function addDocument(facts: Map<string, string>, path: string, text: string): void {
  const value: unknown = load(text);
  if (isRecord(value)) addRecord(facts, `${path}:`, value);
  else facts.set(path, stableJson(value));
}

function addRecord(facts: Map<string, string>, path: string, record: Record<string, unknown>): void {
  for (const [name, inner] of Object.entries(record)) {
    addFacts(facts, path === '' ? name : `${path}.${name}`, inner);
  }
}

function addList(facts: Map<string, string>, path: string, field: string, list: readonly unknown[]): void {
  if (list.length === 0) return;
  const key = mergeKeyOf(field);
  if (key === undefined || !list.every((item) => isRecord(item) && item[key] !== undefined)) {
    facts.set(path, stableJson(list));
    return;
  }
  const items = list as readonly Record<string, unknown>[];
  if (ordered.includes(field)) facts.set(`${path} in order`, items.map((item) => item[key]).join(', '));
  for (const { [key]: name, ...rest } of items) {
    facts.set(`${path}[${name}]`, 'is there');
    addFacts(facts, `${path}[${name}]`, rest);
  }
}
