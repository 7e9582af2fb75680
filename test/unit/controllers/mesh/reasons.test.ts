import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { conditionTable } from '../../../../src/api/conditions.ts';
import { upgradePhases } from '../../../../src/api/mesh-operator-status.ts';

const source = resolve(import.meta.dirname, '../../../../src');
const folders = [
  ...['api', 'kube/apply', 'controllers/mesh', 'controllers/admission', 'controllers/data-plane'],
  ...['controllers/trust', 'controllers/remotes'],
];
/** What Events and rotations are called is no reason of a condition. */
const ofOthers = [
  ...['Recreated', 'DriftRepaired', 'CertificateRotated', 'InjectorReached', 'InjectorLost'],
  ...['MissingSidecar', 'NoBarePods', 'ComesBackBare', 'LeftBehind'],
  // What `status.remotes` says of one cluster, and the Events about its credential.
  ...['Delivering', 'Withheld', 'Revoking', 'RestartingIstiod', 'ClockSkew'],
  ...['OwnCluster', 'SameCluster', 'OtherCluster', 'OtherMesh'],
  ...['RootsDiffer', 'AddressClash', 'GatewayPending'],
  ...['InvalidKubeconfig', 'RightsMissing', 'CredentialRefused', 'TokenPending', 'Unauthorized'],
  ...['RemoteCredentialIssued', 'RemoteWithheld', 'RemoteReaderRepaired'],
  ...['AuthorityAdopted', 'AuthorityCreated', 'RotationFinished', 'Replaced', 'RootUnchanged'],
  ...['RootsExchanged', 'MemberLeftBehind'],
];
/** The API server's, as `kube/errors.ts` tells them apart; transient ones are shown as ApplyFailed. */
const ofRefusals = ['Forbidden', 'ImmutableField', 'Invalid'];

test('every reason that the source gives is in the table of conditions, and the other way round', () => {
  // Where an upgrade is, is also the reason of its condition.
  const given = new Set([...folders.flatMap((folder) => reasonsIn(join(source, folder))), ...upgradePhases]);
  const listed = new Set(conditionTable.flatMap(({ reasons }) => reasons.map(({ reason }) => reason)));

  const missing = [...given, ...ofRefusals].filter(
    (reason) => !listed.has(reason) && !ofOthers.includes(reason),
  );
  const idle = [...listed].filter((reason) => !given.has(reason) && !ofRefusals.includes(reason));

  expect({ missing, idle }).toEqual({ missing: [], idle: [] });
});

function reasonsIn(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.ts') && file !== 'conditions.ts')
    .flatMap((file) => {
      const text = readFileSync(join(folder, file), 'utf8');
      const found = [...text.matchAll(/reason: '([A-Z]\w+)'|progressing\(\s*'(\w+)'|waiting\(\s*'(\w+)'/g)];
      return found.flatMap(([, ...groups]) => groups.filter((group) => group !== undefined));
    });
}
