import { describe, expect, test } from 'vitest';
import { resolveMesh } from '../../../../src/api/resolve.ts';
import type { ForeignBundle } from '../../../../src/controllers/trust/bundle-statement.ts';
import { spireStatement } from '../../../../src/controllers/trust/spire-trust.ts';
import { readTrustedRoots, type TrustedRoot } from '../../../../src/pki/trusted-roots.ts';
import { anAuthority, dayMs, firstDay, later } from '../../../support/authority-states.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';

const { certPem } = anAuthority({ rootLifetimeMs: dayMs }).roots.current;
const [root] = readTrustedRoots('bundle', certPem, firstDay).roots ?? [];

const healthy = {
  type: 'TrustHealthy',
  status: 'True',
  reason: 'Healthy',
  message: 'The root is valid',
} as const;

function aBundle(...trustDomains: readonly (string | undefined)[]): ForeignBundle {
  const roots = trustDomains.map((trustDomain) => ({ ...root, trustDomain }) as TrustedRoot);
  return { configMap: 'spire/spire-bundle', keeper: 'SPIRE', roots };
}

function statement(bundle: ForeignBundle | undefined, { own = healthy, now = firstDay, spec = {} } = {}) {
  const mesh = resolveMesh(
    aMeshOperator({
      certificateAuthority: { provider: 'Spire' },
      meshConfig: { trustDomain: 'example.org' },
      ...spec,
    }),
  );
  return spireStatement(own, bundle, mesh, now);
}

describe('TrustHealthy of a mesh with SPIRE', () => {
  test('adds until when the roots of SPIRE are valid', () => {
    expect(statement(aBundle('example.org'))).toMatchObject({
      status: 'True',
      reason: 'Healthy',
      message: "The root is valid. SPIRE's roots are valid until 2026-01-11T12:00:00.000Z",
    });
  });

  test.each([
    { what: 'of another trust domain', bundle: aBundle('other.org') },
    { what: 'of two others', bundle: aBundle('other.org', 'third.org') },
  ])('says that roots $what do not fit, and what to set', ({ bundle }) => {
    const { status, reason, message } = statement(bundle);

    expect([status, reason]).toEqual(['False', 'TrustDomainDiffers']);
    expect(message).toContain('in trust domain example.org');
    expect(message).toContain('other.org');
    expect(message).toContain('spec.meshConfig.trustDomain');
  });

  test.each([
    { what: 'that name no trust domain, since SPIRE was given them', bundle: aBundle(undefined) },
    { what: 'of which one fits', bundle: aBundle('other.org', 'example.org') },
  ])('takes roots $what', ({ bundle }) => {
    expect(statement(bundle).status).toBe('True');
  });

  test('warns when SPIRE has brought no other root although less than 30 percent of its life are left', () => {
    expect(statement(aBundle('example.org'), { now: later(0.69 * dayMs) }).status).toBe('True');
    expect(statement(aBundle('example.org'), { now: later(0.71 * dayMs) })).toMatchObject({
      status: 'False',
      reason: 'RootEndsSoon',
    });
  });

  test('says what is wrong with the authority of istiod before anything of SPIRE', () => {
    const own = { ...healthy, status: 'False', reason: 'Blocked' } as unknown as typeof healthy;

    expect(statement(aBundle('other.org'), { own })).toBe(own);
  });

  test('says that nothing is known of SPIRE where it keeps no bundle', () => {
    const { status, message } = statement(undefined);

    expect(status).toBe('True');
    expect(message).toContain("SPIRE's own roots are not known");
  });
});
