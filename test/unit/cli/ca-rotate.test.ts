import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import type { MeshOperator } from '../../../src/api/mesh-operator.ts';
import type { CertificateAuthorityStatus } from '../../../src/api/mesh-operator-status.ts';
import { resolveMesh } from '../../../src/api/resolve.ts';
import type { AuthorityOfMesh } from '../../../src/cli/authority-of.ts';
import { type CaRotateOptions, caRotate } from '../../../src/cli/ca-rotate.ts';
import { exposureLines } from '../../../src/cli/exposure-window.ts';
import { RotationProgress } from '../../../src/cli/rotation-progress.ts';
import { requestRefusal, requestText } from '../../../src/cli/rotation-request.ts';
import { UsageError } from '../../../src/cli/terminal.ts';
import { parseRequest, type RequestName, requestNames } from '../../../src/pki/rotation-request.ts';
import { aMeshWithAuthority, anAuthorityStatus, aTrustCondition } from '../../support/authority-status.ts';
import { runCli } from '../../support/run-cli.ts';

const now = new Date('2026-01-01T00:00:00.789Z');
const afterTheRoot = new Date('2036-01-01T00:00:00Z');
const pluggedIn = {
  certificateAuthority: { provider: 'PluggedIn', pluggedIn: { secretName: 'ours' } },
} as const;
const ofAnIssuer = {
  certificateAuthority: { provider: 'CertManager', certManager: { issuerRef: { name: 'mesh-ca' } } },
} as const;

function refusalOf(name: RequestName, mesh: KubernetesObject, at = now): string | undefined {
  return requestRefusal(name, mesh, resolveMesh(mesh as unknown as MeshOperator), at);
}

describe('a request for a rotation', () => {
  test.each(requestNames)('for %s is one that the operator reads, with the time in whole seconds', (name) => {
    const text = requestText(name, now);

    expect(text).toBe(`${name}/2026-01-01T00:00:00Z`);
    expect(parseRequest(text)).toEqual({ name });
  });

  test.each(['root', 'intermediate', 'KeyCompromise'] as const)(
    'for %s is taken by a mesh at rest',
    (name) => {
      expect(refusalOf(name, aMeshWithAuthority())).toBeUndefined();
    },
  );

  test('for a recovery is taken once the root has ended, and not before', () => {
    const mesh = aMeshWithAuthority();

    expect(refusalOf('Recovery', mesh)).toContain('ask with --root');
    expect(refusalOf('Recovery', mesh, afterTheRoot)).toBeUndefined();
  });

  test.each(['root', 'intermediate', 'KeyCompromise'] as const)(
    'for %s is none for a root that has ended',
    (name) => {
      expect(refusalOf(name, aMeshWithAuthority(), afterTheRoot)).toContain('ask with --recover');
    },
  );

  test.each([
    {
      name: 'paused',
      mesh: aMeshWithAuthority({}, {}, { paused: { reason: 'freeze' } }),
      says: 'spec.paused',
    },
    {
      name: 'that rotates',
      mesh: aMeshWithAuthority({
        phase: 'Trusting',
        rotation: { kind: 'root', reason: 'Schedule', startedAt: 'a', phaseSince: 'b' },
      }),
      says: 'never two at once',
    },
    {
      name: 'whose istiod signs by itself',
      mesh: aMeshWithAuthority({}, {}, { certificateAuthority: { provider: 'Istiod' } }),
      says: 'set spec.certificateAuthority.provider',
    },
    {
      name: 'whose authority is external',
      mesh: aMeshWithAuthority(
        {},
        {},
        { certificateAuthority: { provider: 'External', external: { address: 'ca.example.com:443' } } },
      ),
      says: 'The authority at ca.example.com:443 issues the certificates of the mesh and rotates its roots',
    },
  ])('is refused for a mesh $name', ({ mesh, says }) => {
    expect(refusalOf('root', mesh)).toContain(says);
  });

  test('for a new root is refused where a user plugs it in, for an intermediate it is not', () => {
    const mesh = aMeshWithAuthority({}, {}, pluggedIn);

    expect(refusalOf('root', mesh)).toContain('Secret ours');
    expect(refusalOf('KeyCompromise', mesh)).toContain('Secret ours');
    expect(refusalOf('intermediate', mesh)).toBeUndefined();
  });

  test.each(['root', 'intermediate', 'KeyCompromise'] as const)(
    'for %s is taken where an issuer signs',
    (name) => {
      expect(refusalOf(name, aMeshWithAuthority({}, {}, ofAnIssuer))).toBeUndefined();
    },
  );

  test.each<Partial<CaRotateOptions>>([{}, { root: true, intermediate: true }])(
    'is called wrongly with %j',
    async (flags) => {
      const call = runCli((terminal) => caRotate('mesh', { namespace: 'istio-system', ...flags }, terminal));

      await expect(call).rejects.toThrow(UsageError);
    },
  );
});

const ofTheMesh = { isOfIstiodAlone: false };

describe('the exposure by a stolen key', () => {
  test('lasts until every proxy has dropped the root, and else until the root ends', () => {
    const text = exposureLines(anAuthorityStatus(), ofTheMesh).join('\n');

    expect(text).toContain('impersonate any workload, until every proxy has dropped the old root');
    expect(text).toContain('until the root ends, 2036-01-01T00:00:00.000Z');
    expect(text).toContain('No rotation of this mesh has been measured yet');
  });

  test('is that of istiod alone where SPIRE issues for workloads', () => {
    const text = exposureLines(anAuthorityStatus(), { isOfIstiodAlone: true }).join('\n');

    expect(text).toContain('can pretend to be istiod');
    expect(text).not.toContain('impersonate any workload');
  });

  test('lasts until the intermediate ends where an issuer keeps its root', () => {
    const circumstances = { issuer: 'Issuer mesh-ca', isOfIstiodAlone: false };
    const text = exposureLines(anAuthorityStatus(), circumstances).join('\n');

    expect(text).toContain('begins when Issuer mesh-ca has signed');
    expect(text).toContain('the old one verifies until it ends, 2027-01-01T00:00:00.000Z');
  });

  test.each([
    { reason: 'KeyCompromise', says: 'took 42.5 s.' },
    { reason: 'Schedule', says: 'took 42.5 s, soaks included.' },
  ] as const)('is estimated by the last rotation ($reason)', ({ reason, says }) => {
    const text = exposureLines(anAuthorityStatus({ lastRotation: aFinished(reason) }), ofTheMesh).join('\n');

    expect(text).toContain(says);
  });
});

describe('the progress of a rotation', () => {
  test('is each phase once, and in the end how long it took', () => {
    const progress = new RotationProgress('KeyCompromise', anAuthorityStatus());
    const trusting = aRotating('Trusting', '2026-01-01T00:00:01.000Z');
    const looks = [
      aLook(),
      trusting,
      trusting,
      aRotating('Signing', '2026-01-01T00:00:20.000Z'),
      aRotating('Distrusting', '2026-01-01T00:00:30.000Z'),
      aLook({ lastRotation: aFinished('KeyCompromise') }),
    ];

    const steps = looks.map((look) => progress.next(look));

    expect(steps.map(({ lines }) => lines)).toEqual([
      [],
      ['2026-01-01T00:00:01.000Z Trusting: root (KeyCompromise)'],
      [],
      ['2026-01-01T00:00:20.000Z Signing: root (KeyCompromise)'],
      ['2026-01-01T00:00:30.000Z Distrusting: root (KeyCompromise)'],
      [
        '2026-01-01T00:00:42.500Z Stable: the rotation of the root took 42.5 s',
        'For so long the old key could still be used; no proxy trusts its root any more.',
      ],
    ]);
    expect(steps.map(({ hasEnded }) => hasEnded)).toEqual([false, false, false, false, false, true]);
  });

  test('does not say that a root is gone which its issuer has kept', () => {
    const progress = new RotationProgress('KeyCompromise', anAuthorityStatus());

    const { lines } = progress.next(
      aLook({ lastRotation: { ...aFinished('KeyCompromise'), kind: 'intermediate' } }),
    );

    expect(lines.join()).toContain('since the issuer has kept its root');
    expect(lines.join()).not.toContain('no proxy trusts its root');
  });

  test('does not end with a rotation that was there before, nor with one that nobody asked for', () => {
    const before = anAuthorityStatus({ lastRotation: aFinished('Requested') });
    const progress = new RotationProgress('root', before);

    const old = progress.next(aLook({ lastRotation: aFinished('Requested') }));
    const other = progress.next(aLook({ lastRotation: { ...aFinished('Schedule'), startedAt: 'later' } }));

    expect([old.hasEnded, other.hasEnded]).toEqual([false, false]);
  });

  test('names what blocks it once, and again when it comes back', () => {
    const progress = new RotationProgress('root', undefined);
    const blocked = {
      ...aRotating('Trusting', 'a'),
      trustHealthy: aTrustCondition({ status: 'False', reason: 'Blocked', message: 'pod a/b waits' }),
    };
    progress.next(aRotating('Trusting', 'a'));

    const lines = [blocked, blocked, aRotating('Trusting', 'a'), blocked].map(
      (look) => progress.next(look).lines,
    );

    expect(lines).toEqual([['Blocked: pod a/b waits'], [], [], ['Blocked: pod a/b waits']]);
  });
});

function aLook(changes: Partial<CertificateAuthorityStatus> = {}): AuthorityOfMesh {
  return {
    namespace: 'istio-system',
    name: 'mesh',
    trustHealthy: aTrustCondition(),
    certificateAuthority: anAuthorityStatus(changes),
  };
}

function aRotating(phase: CertificateAuthorityStatus['phase'], phaseSince: string): AuthorityOfMesh {
  const startedAt = '2026-01-01T00:00:00.000Z';
  return aLook({ phase, rotation: { kind: 'root', reason: 'KeyCompromise', startedAt, phaseSince } });
}

function aFinished(
  reason: 'KeyCompromise' | 'Requested' | 'Schedule',
): NonNullable<CertificateAuthorityStatus['lastRotation']> {
  return {
    kind: 'root',
    reason,
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:00:42.500Z',
    seconds: 42.5,
  };
}
