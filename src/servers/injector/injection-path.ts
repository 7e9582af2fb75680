/** Environment variables by the short names that Istio gives them in the path. */
const shortNames = new Map([
  ['cluster', 'ISTIO_META_CLUSTER_ID'],
  ['net', 'ISTIO_META_NETWORK'],
]);

const root = '/inject';
const legacySeparator = ':ENV:';

/** What an environment variable may be called: Kubernetes takes more, but nobody needs it. */
const variableName = /^[A-Z_][A-Z0-9_.-]{0,127}$/;

/**
 * The environment that the path of a request asks for, by variable; undefined when the path is not one of ours.
 * `/inject`, `/inject/KEY/VALUE/...` (`--slash--` in a value means `/`; a last key without value is dropped) and
 * Istio's older `/inject/:ENV:KEY=VALUE:ENV:...`.
 */
export function parseInjectionPath(url: string): Readonly<Record<string, string>> | undefined {
  const path = decoded(url.split('?', 1)[0] ?? '');
  if (path === root || path === `${root}/`) return {};
  if (path === undefined || !path.startsWith(`${root}/`)) return undefined;
  const rest = path.slice(root.length + 1);
  const pairs = rest.startsWith(legacySeparator) ? legacyPairs(rest) : slashPairs(rest);
  const environment: Record<string, string> = {};
  for (const [key, value] of pairs) {
    const name = shortNames.get(key) ?? key.toUpperCase();
    if (!variableName.test(name)) return undefined;
    environment[name] = value;
  }
  return environment;
}

function slashPairs(text: string): (readonly [string, string])[] {
  const parts = text.replace(/\/$/, '').split('/');
  const pairs: (readonly [string, string])[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2) {
    pairs.push([parts[at] ?? '', (parts[at + 1] ?? '').replaceAll('--slash--', '/')]);
  }
  return pairs;
}

function legacyPairs(text: string): (readonly [string, string])[] {
  return text
    .replace(/\/$/, '')
    .split(legacySeparator)
    .slice(1)
    .map((pair) => [pair.split('=', 1)[0] ?? '', pair.slice(pair.indexOf('=') + 1)] as const)
    .filter(([key]) => key !== '');
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    // A broken escape: no path of ours, and the caller says so.
    return undefined;
  }
}
