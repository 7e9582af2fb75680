import type { Bundle } from './bundle.ts';
import type { Finding } from './finding.ts';

/** A bundle of several that are compared: those of the clusters of one mesh. */
export interface NamedBundle {
  readonly name: string;
  readonly bundle: Bundle;
}

/** Whether proxies of every two of these bundles trust each other. Bundles without a root are left out. */
export function sharedRootFindings(bundles: readonly NamedBundle[]): Finding[] {
  const withRoots = bundles
    .map(({ name, bundle }) => ({
      name,
      roots: new Set(bundle.roots.map(({ x509 }) => x509.fingerprint256)),
    }))
    .filter(({ roots }) => roots.size > 0);
  return withRoots.flatMap((one, index) =>
    withRoots
      .slice(index + 1)
      .flatMap((other) => comparison(`${one.name}, ${other.name}`, one.roots, other.roots)),
  );
}

function comparison(where: string, one: ReadonlySet<string>, other: ReadonlySet<string>): Finding[] {
  const shared = [...one].filter((root) => other.has(root)).length;
  if (shared === one.size && shared === other.size) return [];
  if (shared === 0) {
    return [
      {
        ...{ severity: 'error', rule: 'DifferentRoots', where },
        problem: 'They share no root: in one mesh, no proxy of one cluster can talk to a proxy of the other',
        fix: 'Issue the intermediates of all clusters from one root, or let each trust the roots of both first.',
      },
    ];
  }
  return [
    {
      ...{ severity: 'warning', rule: 'DifferentRoots', where },
      problem: `They share ${shared} roots, and one has others as well: proxies refuse each other when the signer of one is below a root that the other lacks`,
      fix: 'Bring both to the same roots; during a rotation no cluster may go on before all trust the new root.',
    },
  ];
}
