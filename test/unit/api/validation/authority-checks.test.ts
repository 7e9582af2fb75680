import { expect, test } from 'vitest';
import type { MeshOperatorSpec } from '../../../../src/api/mesh-operator-spec.ts';
import { problemText } from '../../../../src/api/problem.ts';
import { resolveMesh } from '../../../../src/api/resolve.ts';
import { validateMeshOperator } from '../../../../src/api/validate.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';

const certManager = { issuerRef: { name: 'mesh-ca' } };
const ordered = { provider: 'CertManager', certManager } as const;

const rows: readonly (readonly [name: string, authority: unknown, problem: RegExp])[] = [
  [
    'provider CertManager without an issuer',
    { provider: 'CertManager' },
    /^spec\.certificateAuthority\.certManager: must name the issuer/,
  ],
  [
    'an issuer without a name',
    { provider: 'CertManager', certManager: { issuerRef: {} } },
    /^spec\.certificateAuthority\.certManager\.issuerRef\.name: /,
  ],
  [
    'an issuer of another kind',
    { provider: 'CertManager', certManager: { issuerRef: { name: 'a', kind: 'Isuer' } } },
    /^spec\.certificateAuthority\.certManager\.issuerRef\.kind: /,
  ],
  [
    'an issuer that nobody asks',
    { certManager },
    /^spec\.certificateAuthority\.certManager: has no effect with provider SelfSigned/,
  ],
  [
    'an issuer beside a Secret',
    { provider: 'PluggedIn', pluggedIn: { secretName: 'ours' }, certManager },
    /^spec\.certificateAuthority\.certManager: has no effect with provider PluggedIn/,
  ],
  [
    'a Secret beside an issuer',
    { ...ordered, pluggedIn: { secretName: 'ours' } },
    /^spec\.certificateAuthority\.pluggedIn: has no effect with provider CertManager/,
  ],
  [
    'a root to make where it is the one of the issuer',
    { ...ordered, root: { lifetime: '87600h' } },
    /^spec\.certificateAuthority\.root: has no effect with provider CertManager/,
  ],
  [
    'a schedule of the root where it is the one of the issuer',
    { ...ordered, rotation: { root: { threshold: 20 } } },
    /^spec\.certificateAuthority\.rotation\.root: has no effect with provider CertManager/,
  ],
];

test.each(rows)('%s is a problem', (_name, certificateAuthority, problem) => {
  const spec = { certificateAuthority } as MeshOperatorSpec;

  const problems = validateMeshOperator(aMeshOperator(spec)).map(problemText);

  expect(problems).toEqual([expect.stringMatching(problem)]);
});

test('an issuer is one of cert-manager in the namespace of the mesh unless it says otherwise', () => {
  const { authority } = resolveMesh(aMeshOperator({ certificateAuthority: ordered }));

  expect(authority.issuer).toEqual({ name: 'mesh-ca', kind: 'Issuer', group: 'cert-manager.io' });
});

test('intermediates of an issuer may be valid for longer than half of what our roots are', () => {
  const certificateAuthority = { ...ordered, intermediate: { lifetime: '70000h' } };

  expect(validateMeshOperator(aMeshOperator({ certificateAuthority }))).toEqual([]);
});
