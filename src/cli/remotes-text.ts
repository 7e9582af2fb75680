import type { RemoteState, RemoteStatus } from '../api/mesh-operator-status.ts';
import { type Paint, type Style, tableLines } from './paint.ts';

/** The other clusters of a mesh, as its status has them. */
export interface RemotesReport {
  readonly namespace: string;
  readonly name: string;
  readonly remotes: readonly RemoteStatus[];
}

const styles: Readonly<Record<RemoteState, Style>> = {
  Ready: 'good',
  Progressing: 'doubtful',
  Degraded: 'doubtful',
  Unreachable: 'bad',
  Refused: 'bad',
};

const columns = [
  'CLUSTER',
  'STATE',
  'REASON',
  'SINCE',
  'KUBERNETES',
  'ISSUED',
  'EXPIRES',
  'RENEWS',
  'MESSAGE',
];

/** A table of the other clusters of a mesh, for a person. */
export function remotesText({ namespace, name, remotes }: RemotesReport, paint: Paint): string {
  const heading = paint('heading', `${namespace}/${name}`);
  if (remotes.length === 0) return `${heading}  no other cluster\n`;
  const rows = [columns, ...remotes.map((remote) => rowOf(remote, paint))];
  return [heading, ...tableLines(rows).map((line) => `  ${line}`), ''].join('\n');
}

function rowOf(remote: RemoteStatus, paint: Paint): string[] {
  const { clusterName, state, reason, since, kubernetesVersion = '-', credential, message } = remote;
  const { issuedAt = '-', expiresAt, renewAt } = credential ?? {};
  const none = credential === undefined ? '-' : 'never';
  return [
    ...[clusterName, paint(styles[state], state), reason, wholeSeconds(since), kubernetesVersion],
    ...[issuedAt, expiresAt ?? none, renewAt ?? '-'].map(wholeSeconds),
    message,
  ];
}

/** An instant without its fraction; any other text as it is. */
function wholeSeconds(text: string): string {
  return text.replace(/\.\d+Z$/, 'Z');
}
