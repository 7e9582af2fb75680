import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { issueIntermediate } from '../../../src/pki/authority-certificates.ts';
import { buildCertificate, serialOf } from '../../../src/pki/certificate-builder.ts';
import { factsOf } from '../../../src/pki/certificate-facts.ts';
import { judgeIssued, newToAuthority, outlastsInUse } from '../../../src/pki/issued-material.ts';
import { generateKeyPair, privateKeyPem } from '../../../src/pki/key-pair.ts';
import { beginRotation } from '../../../src/pki/rotation-steps.ts';
import { type Authority, anAuthority } from '../../support/authorities.ts';
import {
  anAuthority as aState,
  dayMs,
  firstDay,
  later,
  minuteMs,
  newMaterialFor,
} from '../../support/authority-states.ts';

const now = new Date();

function issuedOf({ root, intermediate }: Authority) {
  return { chainPem: intermediate.chainPem, rootPem: root.certPem, keyPem: intermediate.keyPem };
}

/** An intermediate of this root for new keys, as an issuer makes it that does as it is told. */
async function signedBy({ root, rootKeys }: Authority, notBefore: Date, notAfter: Date, isAuthority = true) {
  const keys = await generateKeyPair('ECDSA-P256');
  const certPem = buildCertificate(
    {
      ...{ commonName: 'Intermediate', serial: serialOf(randomBytes(16)), notBefore, notAfter },
      extensions: [
        { name: 'basicConstraints', critical: true, cA: isAuthority },
        { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
      ],
    },
    keys,
    { certPem: root.certPem, keys: rootKeys },
  );
  return { chainPem: certPem, rootPem: root.certPem, keyPem: privateKeyPem(keys) };
}

describe('what an issuer has signed', () => {
  test('is usable with its chain and its root', async () => {
    const top = await anAuthority();
    const middleKeys = await generateKeyPair('ECDSA-P256');
    const middle = buildCertificate(
      {
        ...{ commonName: 'Middle', serial: serialOf(randomBytes(16)) },
        ...{ notBefore: now, notAfter: new Date(now.getTime() + 500 * dayMs) },
        extensions: [
          { name: 'basicConstraints', critical: true, cA: true },
          { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
        ],
      },
      middleKeys,
      { certPem: top.root.certPem, keys: top.rootKeys },
    );
    const lowest = issueIntermediate({
      ...{ commonName: 'Lowest', keys: await generateKeyPair('ECDSA-P256'), random: randomBytes(16), now },
      ...{ lifetimeMs: dayMs, issuer: { certPem: middle, keys: middleKeys } },
    });
    const chainPem = lowest.certPem + middle;

    const judged = judgeIssued({ chainPem, rootPem: top.root.certPem, keyPem: lowest.keyPem }, now);

    expect(judged).toEqual({
      verdict: 'usable',
      material: {
        root: { certPem: top.root.certPem },
        intermediate: { certPem: lowest.certPem, keyPem: lowest.keyPem, chainPem },
      },
    });
  });

  test('is to be waited for while it begins within the skew of clocks, and refused when it begins later', async () => {
    const authority = await anAuthority();
    const end = new Date(now.getTime() + dayMs);
    const soon = new Date(Math.floor(now.getTime() / 1000) * 1000 + 4 * minuteMs);

    const early = judgeIssued(await signedBy(authority, soon, end), now);
    const tooEarly = judgeIssued(
      await signedBy(authority, new Date(soon.getTime() + 2 * minuteMs), end),
      now,
    );

    expect(early).toEqual({ verdict: 'early', validFrom: soon });
    expect(tooEarly).toMatchObject({ verdict: 'refused' });
  });

  test('is too long when it outlives the root', async () => {
    const authority = await anAuthority({ root: { lifetimeMs: 30 * dayMs } });

    const judged = judgeIssued(await signedBy(authority, now, new Date(now.getTime() + 365 * dayMs)), now);

    expect(judged).toEqual({ verdict: 'long', issuerEnds: factsOf(authority.root.certPem).notAfter });
  });

  test.each([
    ['without its root', async () => ({ ...issuedOf(await anAuthority()), rootPem: '' }), 'without its root'],
    [
      'with the root of somebody else',
      async () => ({ ...issuedOf(await anAuthority()), rootPem: (await anAuthority()).root.certPem }),
      'fails lint',
    ],
    [
      'for the key of somebody else',
      async () => ({ ...issuedOf(await anAuthority()), keyPem: (await anAuthority()).intermediate.keyPem }),
      'fails lint',
    ],
    [
      'as no authority',
      async () => signedBy(await anAuthority(), now, new Date(now.getTime() + dayMs), false),
      'no authority',
    ],
    [
      'that has expired',
      async () => signedBy(await anAuthority(), new Date(0), new Date(now.getTime() - dayMs)),
      'has expired',
    ],
    ['as no PEM', async () => ({ ...issuedOf(await anAuthority()), chainPem: 'nonsense' }), 'fails lint'],
    [
      'by its own key',
      async () => {
        const { root, rootKeys } = await anAuthority();
        return { chainPem: root.certPem, rootPem: root.certPem, keyPem: privateKeyPem(rootKeys) };
      },
      'signed itself',
    ],
  ])('is refused %s, and the words hold no key', async (_name, issued, says) => {
    const given = await issued();

    const judged = judgeIssued(given, now);

    expect(judged).toMatchObject({ verdict: 'refused', problem: expect.stringContaining(says) });
    expect(JSON.stringify(judged)).not.toContain('PRIVATE KEY');
  });

  test('is refused when its root is an intermediate of another one', async () => {
    const { root, rootKeys, intermediate, intermediateKeys } = await anAuthority();
    const middle = buildCertificate(
      {
        ...{ commonName: 'Middle', serial: serialOf(randomBytes(16)) },
        ...{ notBefore: now, notAfter: new Date(now.getTime() + 30 * dayMs) },
        extensions: [
          { name: 'basicConstraints', critical: true, cA: true },
          { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
        ],
      },
      intermediateKeys,
      { certPem: root.certPem, keys: rootKeys },
    );
    const lowest = await signedBy(
      { root: { certPem: middle }, rootKeys: intermediateKeys, intermediate, intermediateKeys },
      now,
      new Date(now.getTime() + dayMs),
    );

    expect(judgeIssued(lowest, now)).toMatchObject({
      verdict: 'refused',
      problem: expect.stringContaining('ca.crt'),
    });
  });
});

describe('a rotation by what an issuer has signed', () => {
  test('is one of the intermediate when the root is the one in use', () => {
    const state = aState();
    const { intermediate } = newMaterialFor(state, 'intermediate', later(dayMs));
    // Of the issuer's root we never have the key, while an adopted one may have come with it.
    const root = { certPem: state.roots.current.certPem };

    const material = newToAuthority(state, { root, intermediate });

    expect(material).toEqual({ intermediate });
    expect(beginRotation(state, { reason: 'Threshold' }, material, later(dayMs))).toMatchObject({
      phase: 'Signing',
      rotation: { kind: 'intermediate' },
    });
  });

  test('is one of the root, through all phases, when it is another one', () => {
    const state = aState();
    const { root = { certPem: '' }, intermediate } = newMaterialFor(state, 'root', later(dayMs));

    const material = newToAuthority(state, { root, intermediate });

    expect(material).toEqual({ root, intermediate });
    expect(beginRotation(state, { reason: 'Threshold' }, material, later(dayMs))).toMatchObject({
      phase: 'Trusting',
      rotation: { kind: 'root' },
    });
  });

  test('is worth it when it lasts longer than what is in use, or brings another root', () => {
    const state = aState({ madeAt: firstDay });
    const longer = newMaterialFor(state, 'intermediate', later(200 * dayMs));
    const other = newMaterialFor(state, 'root', later(minuteMs));
    const noLonger = newMaterialFor(state, 'intermediate', later(minuteMs));

    expect(outlastsInUse(state, longer)).toBe(true);
    expect(outlastsInUse(state, other)).toBe(true);
    expect(outlastsInUse(state, noLonger)).toBe(false);
  });
});
