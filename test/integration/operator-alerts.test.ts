import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { load } from 'js-yaml';
import { type AlertRow, testAlerts, type WrittenAlert } from '../support/alert-tests.ts';
import type { InputSeries } from '../support/promtool.ts';

const file = resolve(import.meta.dirname, '../../charts/mesh-operator/files/alert-rules.yaml');
const groups = load(await readFile(file, 'utf8')) as { readonly rules: readonly WrittenAlert[] }[];

const mesh = { namespace: 'istio-system', mesh: 'mesh' };
const ofMesh = 'namespace="istio-system", mesh="mesh"';
const day = 86_400;

const figure = (name: string, labels = '', values = '1x60'): InputSeries => [
  `mesh_operator_${name}{${[ofMesh, labels].filter((text) => text !== '').join(', ')}}`,
  values,
];

/** The root of a mesh: how long it lasts, and how much of it is left at the end of the hour. */
const root = (lifetime: number, left: number): InputSeries[] => [
  figure(
    'ca_certificate_expiry_timestamp_seconds',
    'certificate="root", slot="current"',
    `${left + 2400}x60`,
  ),
  figure('ca_certificate_lifetime_seconds', 'certificate="root", slot="current"', `${lifetime}x60`),
];

const leader = (value: number, namespace = 'mesh-operator'): InputSeries => [
  `leader_election_master_status{name="mesh-operator", job="mesh-operator", instance="a", namespace="${namespace}"}`,
  `${value}x60`,
];
const errors = (instance: string): InputSeries => [
  `controller_runtime_reconcile_errors_total{controller="mesh", job="mesh-operator", instance="${instance}"}`,
  '0+1x90',
];

const rows: readonly AlertRow[] = [
  {
    alert: 'MeshAuthorityEndsSoon',
    fires: [
      {
        name: 'a root of ten years with ten days left',
        series: root(3650 * day, 10 * day),
        labels: { ...mesh, certificate: 'root' },
        summary: 'The root of mesh mesh ends in 10d 0h 0m 0s',
      },
    ],
    silent: [
      { name: 'a root of ten days with half of it left', series: root(10 * day, 5 * day) },
      { name: 'a root with forty days left', series: root(3650 * day, 40 * day) },
    ],
  },
  {
    alert: 'MeshAuthorityEndsVerySoon',
    fires: [
      {
        name: 'a root of ten years with three days left',
        series: root(3650 * day, 3 * day),
        labels: { ...mesh, certificate: 'root' },
        summary: 'The root of mesh mesh ends in 3d 0h 0m 0s',
      },
    ],
    silent: [{ name: 'a root with ten days left', series: root(3650 * day, 10 * day) }],
  },
  {
    alert: 'MeshRotationBlocked',
    fires: [
      {
        name: 'proxies that hold a phase',
        series: [
          figure('ca_rotation_blockers', 'gate="proxies"', '2x60'),
          figure('ca_rotation_phase', 'phase="Stable"', '0x60'),
        ],
        labels: mesh,
        summary: '2 replicas, bundles or proxies hold the rotation of mesh mesh',
      },
    ],
    silent: [
      {
        name: 'an authority that is stable',
        series: [
          figure('ca_rotation_blockers', 'gate="proxies"', '2x60'),
          figure('ca_rotation_phase', 'phase="Stable"', '1x60'),
        ],
      },
    ],
  },
  {
    alert: 'MeshRotationStuck',
    at: '26h',
    fires: [
      {
        name: 'a phase of more than a day, with a restart of the operator between',
        series: [figure('ca_rotation_phase', 'phase="Trusting"', '1x600 _x10 1x1000')],
        labels: { ...mesh, phase: 'Trusting' },
        summary: 'The rotation of mesh mesh has been in phase Trusting for a day',
      },
    ],
    silent: [
      {
        name: 'phases of half a day',
        series: [
          figure('ca_rotation_phase', 'phase="Trusting"', '1x800 0x1000'),
          figure('ca_rotation_phase', 'phase="Signing"', '0x800 1x1000'),
        ],
      },
    ],
  },
  {
    alert: 'MeshOperatorNoLeader',
    fires: [
      { name: 'no operator', series: [], summary: 'No replica of the operator is at work' },
      {
        name: 'none that leads, though one of another cluster does',
        series: [leader(0), leader(1, 'mesh-operator-west')],
        labels: { namespace: 'mesh-operator' },
        summary: 'No replica of the operator is at work',
      },
    ],
    silent: [{ name: 'one that leads', series: [leader(1)] }],
  },
  {
    alert: 'MeshOperatorReconcileErrors',
    at: '60m',
    fires: [
      {
        name: 'passes that fail for an hour',
        series: [leader(1), errors('a')],
        labels: { controller: 'mesh' },
        summary: 'Passes of controller mesh have failed for half an hour',
      },
    ],
    silent: [{ name: 'passes of another operator', series: [leader(1), errors('b')] }],
  },
  {
    alert: 'MeshOperatorWebhookCertificateEndsSoon',
    fires: [
      {
        name: 'ten days left',
        series: [['mesh_operator_webhook_certificate_expiry_timestamp_seconds', `${10 * day + 2400}x60`]],
        summary: "The certificate of the operator's own webhooks ends in 10d 0h 0m 0s",
      },
    ],
    silent: [
      {
        name: 'twenty days left, and a process without webhooks',
        series: [
          ['mesh_operator_webhook_certificate_expiry_timestamp_seconds{instance="a"}', `${20 * day}x60`],
          ['mesh_operator_webhook_certificate_expiry_timestamp_seconds{instance="b"}', '0x60'],
        ],
      },
    ],
  },
  {
    alert: 'MeshInjectorNotReached',
    fires: [
      {
        name: 'an injector that is not reached',
        series: [figure('injector_reached', '', '0x60')],
        labels: mesh,
        summary: 'The API server does not reach the sidecar injector of mesh mesh',
      },
    ],
    silent: [{ name: 'one that is', series: [figure('injector_reached')] }],
  },
  {
    alert: 'MeshInjectorCertificateEndsSoon',
    fires: [
      {
        name: 'ten days left',
        series: [figure('injector_certificate_expiry_timestamp_seconds', '', `${10 * day + 2400}x60`)],
        labels: mesh,
        summary: 'The certificate of the sidecar injector of mesh mesh ends in 10d 0h 0m 0s',
      },
    ],
    silent: [
      {
        name: 'twenty days left',
        series: [figure('injector_certificate_expiry_timestamp_seconds', '', `${20 * day}x60`)],
      },
    ],
  },
  {
    alert: 'MeshPodsWithoutSidecar',
    fires: [
      {
        name: 'bare pods',
        series: [figure('pods', 'state="bare"', '3x60')],
        labels: mesh,
        summary: '3 pods of mesh mesh should have a sidecar and have none',
      },
    ],
    silent: [
      {
        name: 'outdated pods',
        series: [figure('pods', 'state="bare"', '0x60'), figure('pods', 'state="outdated"', '3x60')],
      },
    ],
  },
];

testAlerts('alerts of the operator', groups, rows);
