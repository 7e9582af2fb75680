import type { Paint } from '../paint.ts';
import { tableLines } from '../paint.ts';
import { recordOf, recordsIn, textsIn } from './mesh-host.ts';
import type { ObservedTraffic } from './observed-traffic.ts';
import type { ExistingScope, ScopeRefusal, ScopeReport, ScopeSuggestion } from './suggest-scopes.ts';

/** So many calls of a suggestion are listed; the document has all. */
const listedCalls = 20;
const listedNamespaces = 8;

/** What was seen, and what would do, for a person. */
export function scopeText(report: ScopeReport, traffic: ObservedTraffic, paint: Paint): string {
  const { suggestions, refusals } = report;
  const lines = [
    `Calls from ${traffic.from.toISOString()} to ${traffic.to.toISOString()}`,
    ...suggestions.flatMap((suggestion) => ['', ...suggestionLines(suggestion, paint)]),
    ...(refusals.length === 0 ? [] : ['', paint('heading', 'No suggestion')]),
    ...refusals.flatMap((refusal) => refusalLines(refusal)),
  ];
  return `${lines.join('\n')}\n`;
}

function suggestionLines(suggestion: ScopeSuggestion, paint: Paint): string[] {
  const { namespace, workloads, sidecar, before, after, doubts, calls, leftOut, existing } = suggestion;
  const amounts = (['services', 'clusters', 'endpoints'] as const).map((what) => [
    `  ${what}`,
    `${before[what]} -> ${after[what]}`,
    change(before[what], after[what]),
  ]);
  const [{ hosts } = { hosts: [] }] = recordsIn(recordOf(sidecar.spec).egress);
  return [
    `${paint('heading', `Sidecar ${namespace}/${sidecar.metadata.name}`)}, for ${workloads.join(', ')}`,
    '  A proxy knows:',
    ...tableLines(amounts).map((line) => `  ${line}`),
    ...perWorkload(suggestion),
    `  Egress hosts: ${textsIn(hosts).join(', ')}`,
    `  Left out: ${leftOutText(leftOut)}`,
    ...callLines(calls),
    ...existingLines(existing),
    ...doubts.map((doubt) => `  ${paint('doubtful', 'Doubtful')}: ${doubt}`),
  ];
}

function change(before: number, after: number): string {
  if (before === after) return '';
  const percent = Math.round((Math.abs(before - after) / Math.max(before, 1)) * 100);
  return `${percent} % ${after < before ? 'less' : 'more'}`;
}

/** A Sidecar for each workload is worth its trouble where it halves what is left. */
function perWorkload({ servicesPerWorkload, after }: ScopeSuggestion): string[] {
  if (servicesPerWorkload === undefined || servicesPerWorkload * 2 > after.services) return [];
  return [`  With --per workload, each would know ${servicesPerWorkload} services on average`];
}

function leftOutText(leftOut: ScopeSuggestion['leftOut']): string {
  const namespaces = Object.entries(leftOut);
  if (namespaces.length === 0) return 'nothing';
  const named = namespaces.slice(0, listedNamespaces).map(([name, count]) => `${count} of ${name}`);
  const more = namespaces.length - named.length;
  return `${named.join(', ')}${more === 0 ? '' : `, and those of ${more} more namespaces`}`;
}

function callLines(calls: ScopeSuggestion['calls']): string[] {
  if (calls.length === 0) return ['  Calls seen: none'];
  const rows = calls
    .slice(0, listedCalls)
    .map(({ source, host, count }) => [`    ${source.workload}`, host, String(count)]);
  const more = calls.length - rows.length;
  return [
    '  Calls seen, by workload and service:',
    ...tableLines(rows),
    ...(more === 0 ? [] : [`    and ${more} more pairs; -o json has all`]),
  ];
}

function refusalLines({ namespace, workloads, why, existing }: ScopeRefusal): string[] {
  return [
    `  ${namespace} (${workloads.join(', ')}): ${why}`,
    ...existingLines(existing).map((line) => `  ${line}`),
  ];
}

function existingLines(existing: ExistingScope | undefined): string[] {
  if (existing === undefined) return [];
  const { name, unusedHosts, missingHosts } = existing;
  return [
    `  In force now: Sidecar ${name}${unusedHosts.length + missingHosts.length === 0 ? ', which fits the calls' : ''}`,
    ...(unusedHosts.length === 0 ? [] : [`    has and nobody called: ${unusedHosts.join(', ')}`]),
    ...(missingHosts.length === 0 ? [] : [`    has not and was called: ${missingHosts.join(', ')}`]),
  ];
}
