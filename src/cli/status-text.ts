import { findCondition } from '../api/conditions.ts';
import type {
  Condition,
  MeshOperatorStatus,
  MeshState,
  RevisionUse,
  UpgradeStatus,
} from '../api/mesh-operator-status.ts';
import { endText } from './ca-status.ts';
import { type Paint, type Style, tableLines } from './paint.ts';
import type { MeshReport } from './status.ts';

const stateStyles: Readonly<Record<MeshState, Style>> = {
  Ready: 'good',
  Reconciling: 'doubtful',
  Stalled: 'bad',
  Paused: 'doubtful',
  Deleting: 'doubtful',
};

/** More would not fit on a line. */
const maxNamespaces = 5;

type Row = readonly [subject: string, ...cells: string[]];

/** One mesh on one screen, for a person. */
export function statusText(report: MeshReport, now: Date, paint: Paint): string {
  const { namespace, name, status, advice } = report;
  const state = status.state === undefined ? 'not seen by the operator yet' : status.state;
  const style = status.state === undefined ? 'doubtful' : stateStyles[status.state];
  const rows = [
    ...versionRows(status),
    ...upgradeRows(status.upgrade, paint),
    ...conditionRows(status, paint),
    ...plaintextRows(status),
    ...gatewayRows(status, paint),
    ...dataPlaneRows(status, paint),
    ...authorityRows(status, now),
    ...objectRows(status),
  ];
  const lines = [
    `${paint('heading', `${namespace}/${name}`)}  ${paint(style, state)}`,
    ...reasonLines(report).map((line) => `  ${line}`),
    ...tableLines(rows).map((line) => `  ${line}`),
    ...(advice.length === 0 ? [] : [`  ${paint('heading', 'What to do')}`]),
    ...advice.map((sentence) => `    ${sentence}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** Why it is in its state, and of which spec this speaks. */
function reasonLines({ isSpecObserved, isBeingDeleted, status }: MeshReport): string[] {
  const ready = findCondition(status.conditions ?? [], 'Ready');
  const isLate = !isSpecObserved && !isBeingDeleted && status.state !== undefined;
  return [
    ...(ready === undefined ? [] : [`${ready.reason}: ${ready.message}`]),
    ...(isLate ? ['The latest change of the spec is not done yet.'] : []),
  ];
}

function versionRows({ version, revision, revisions = [] }: MeshOperatorStatus): Row[] {
  const installed = revisions.map((found) => `${found.name} (Istio ${found.version})`).join(', ');
  const isAlone = revisions.length <= 1 && (revisions[0]?.name ?? revision) === revision;
  return [
    ...(version === undefined ? [] : [['Version', `Istio ${version}, revision ${revision}`] as const]),
    ...(isAlone ? [] : [['Revisions', installed] as const]),
  ];
}

function upgradeRows(upgrade: UpgradeStatus | undefined, paint: Paint): Row[] {
  if (upgrade === undefined || upgrade.phase === 'Complete') return [];
  const { phase, since, active, target, wave, waves, failure, waitingFor = [] } = upgrade;
  const way = active === undefined || active === target ? '' : ` from ${active} to ${target}`;
  const progress =
    wave === undefined || phase !== 'Moving'
      ? ''
      : `, wave ${wave}${waves === undefined ? '' : ` of ${waves}`}`;
  const isFailed = phase === 'Paused' || phase === 'RollingBack' || phase === 'RolledBack';
  return [
    ['Upgrade', `${paint(isFailed ? 'bad' : 'doubtful', `${phase}${progress}`)}${way}, since ${since}`],
    ...(failure === undefined ? [] : [['', `failed: ${failure}`] as const]),
    ...waitingFor.map((what) => ['', `waits for ${what}`] as const),
  ];
}

/** What has a row of its own, or says again what the first lines do. */
const shownElsewhere = ['Ready', 'Reconciling', 'Stalled', 'UpgradeComplete'];

const subjects: Readonly<Record<string, string>> = {
  ControlPlaneReady: 'Control plane',
  GatewaysReady: 'Gateways',
  InjectorReady: 'Injector',
  ProxiesUpToDate: 'Sidecars',
  MutualTlsInForce: 'Mutual TLS',
  TrustHealthy: 'Authority',
};

function conditionRows({ conditions = [] }: MeshOperatorStatus, paint: Paint): Row[] {
  return conditions
    .filter(({ type }) => !shownElsewhere.includes(type))
    .map((condition) => [
      subjects[condition.type] ?? condition.type,
      `${paint(styleOf(condition), condition.reason)}: ${condition.message}`,
    ]);
}

function plaintextRows({ mtls }: MeshOperatorStatus): Row[] {
  const { waitsSince, callers = [] } = mtls ?? {};
  const texts = [
    ...(waitsSince === undefined ? [] : [`waits since ${waitsSince}`]),
    ...callers.map(({ from = 'somebody without a proxy', to, count }) => `${from} calls ${to} (${count})`),
  ];
  return texts.map((text, index) => [index === 0 ? 'Plaintext' : '', text]);
}

function styleOf({ status }: Condition): Style {
  if (status === 'True') return 'good';
  return status === 'False' ? 'bad' : 'doubtful';
}

function gatewayRows({ gateways = [] }: MeshOperatorStatus, paint: Paint): Row[] {
  return gateways.map(({ namespace, name, addresses }) => [
    'Gateway',
    `${namespace}/${name}: ${addresses.length === 0 ? paint('doubtful', 'no address') : addresses.join(', ')}`,
  ]);
}

function dataPlaneRows({ dataPlane }: MeshOperatorStatus, paint: Paint): Row[] {
  if (dataPlane === undefined) return [];
  const { barePods, outdatedPods, examples = [], revisions = [] } = dataPlane;
  const count = (number: number, what: string, style: Style) =>
    number === 0 ? `${number} ${what}` : paint(style, `${number} ${what}`);
  const counts = [
    count(barePods, 'without their sidecar', 'bad'),
    count(outdatedPods, 'with an older one', 'doubtful'),
  ];
  return [
    ['Pods', counts.join(', ')],
    ...(examples.length === 0 ? [] : [['', examples.join(', ')] as const]),
    ...revisions.map(useRow),
  ];
}

function useRow({ name, pods, namespaces }: RevisionUse): Row {
  const shown = namespaces.slice(0, maxNamespaces).join(', ');
  const more = namespaces.length > maxNamespaces ? `, and ${namespaces.length - maxNamespaces} more` : '';
  return ['', `${pods} ${pods === 1 ? 'follows' : 'follow'} revision ${name}, in ${shown}${more}`];
}

function authorityRows({ certificateAuthority, trustBundle }: MeshOperatorStatus, now: Date): Row[] {
  const rows: Row[] = [];
  if (certificateAuthority !== undefined) {
    const { root, intermediate, nextRotation, rotation, phase, proxies } = certificateAuthority;
    rows.push(['', `root ${endText(root.current.notAfter, now)}`]);
    rows.push(['', `intermediate ${endText(intermediate.current.notAfter, now)}`]);
    if (rotation !== undefined) {
      const done = proxies === undefined ? '' : `, ${proxies.done} of ${proxies.total} proxies done`;
      rows.push(['', `rotation of the ${rotation.kind} (${rotation.reason}): ${phase}${done}`]);
    }
    for (const kind of ['root', 'intermediate'] as const) {
      const due = nextRotation?.[kind];
      if (due !== undefined) rows.push(['', `next rotation of the ${kind}: ${due.at} (${due.reason})`]);
    }
  }
  const [ending] = [...(trustBundle?.roots ?? [])].sort((a, b) => a.notAfter.localeCompare(b.notAfter));
  if (ending !== undefined)
    rows.push(['', `root of ConfigMap ${trustBundle?.configMap} ${endText(ending.notAfter, now)}`]);
  return rows.map(([, ...cells], index) => [index === 0 ? 'Certificates' : '', ...cells]);
}

function objectRows({ inventory = [], drift = [], ignored = [], adopted = [] }: MeshOperatorStatus): Row[] {
  const templates = adopted.filter(({ keeps }) => keeps === 'PodTemplate').map(({ object }) => object);
  const parts = [
    `${inventory.length}`,
    ...(drift.length === 0
      ? []
      : [`changed by others: ${[...new Set(drift.map(({ object }) => object))].join(', ')}`]),
    ...(templates.length === 0 ? [] : [`with the pods of the former installer: ${templates.join(', ')}`]),
    ...(ignored.length === 0 ? [] : [`ignored: ${ignored.map(({ object }) => object).join(', ')}`]),
  ];
  return [['Objects', parts.join('; ')]];
}
