import { expect, test } from 'vitest';
import { isolationText } from '../../../src/cli/tenancy-prove.ts';
import type { IsolationReport, LayerReport } from '../../../src/isolation/prove-isolation.ts';

const isolated: LayerReport = { layer: 'NetworkPolicy', verdict: 'Isolated', unproven: [], findings: [] };

const report: IsolationReport = {
  ...{ tenant: 'red', mesh: 'red-system/red', members: ['red-web'], verdict: 'Open' },
  layers: [
    isolated,
    {
      ...{ layer: 'RBAC', verdict: 'Open', unproven: ['Cannot list roles: forbidden'] },
      findings: [
        {
          ...{ layer: 'RBAC', severity: 'open', object: 'RoleBinding red-web/hole', path: 'subjects[0]' },
          ...{ from: ['a', 'b', 'c', 'd', 'e', 'f', 'g'], to: ['Namespace red-web'] },
          ...{ why: 'it can make pods', fix: 'take it out of the binding' },
        },
      ],
    },
  ],
  platform: ['Group system:masters', 'User system:kube-scheduler'].map((subject) => ({
    ...{ subject, because: 'names with system: are of Kubernetes' },
  })),
};

test('prints each layer, what is open with what to do, and who is of the platform', () => {
  expect(isolationText(report, (_style, text) => text)).toBe(
    [
      'Tenant red (MeshOperator red-system/red): open',
      '  NetworkPolicy: isolated',
      '  RBAC: open',
      '    not proven: Cannot list roles: forbidden',
      '    open: RoleBinding red-web/hole subjects[0]',
      '      a, b, c, d, e, 2 more -> Namespace red-web',
      '      It can make pods.',
      '      Fix: take it out of the binding.',
      '    platform: Group system:masters, User system:kube-scheduler (names with system: are of Kubernetes)',
      '',
    ].join('\n'),
  );
});
