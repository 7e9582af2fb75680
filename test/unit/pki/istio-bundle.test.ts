import { describe, expect, test } from 'vitest';
import type { AuthorityState } from '../../../src/pki/authority-state.ts';
import { splitCertificates } from '../../../src/pki/certificate-facts.ts';
import { istioBundleOf, signerOf, signingRootOf } from '../../../src/pki/istio-bundle.ts';
import { advanceRotation } from '../../../src/pki/rotation-steps.ts';
import { anAuthority, aRotation, hourMs, later, rootRotation } from '../../support/authority-states.ts';

const rootsIn = (state: AuthorityState) => splitCertificates(istioBundleOf(state)['root-cert.pem']);

describe('what istiod is given', () => {
  test('is trusted before it signs, signs before the other is dropped, and is alone in the end', () => {
    const { before, trusting, signing, distrusting, after } = rootRotation();
    const [old, young] = [before.roots.current.certPem, after.roots.current.certPem];
    const [oldSigner, youngSigner] = [
      before.intermediates.current.certPem,
      after.intermediates.current.certPem,
    ];

    const given = [before, trusting, signing, distrusting, after].map((state) => ({
      roots: new Set(rootsIn(state)),
      signer: istioBundleOf(state)['ca-cert.pem'],
    }));

    expect(given).toEqual([
      { roots: new Set([old]), signer: oldSigner },
      { roots: new Set([old, young]), signer: oldSigner },
      { roots: new Set([old, young]), signer: youngSigner },
      { roots: new Set([young]), signer: youngSigner },
      { roots: new Set([young]), signer: youngSigner },
    ]);
  });

  test('has the key and the chain of what signs', () => {
    const { trusting, signing } = rootRotation();

    for (const state of [trusting, signing]) {
      const { keyPem, chainPem } = signerOf(state);
      expect(istioBundleOf(state)).toMatchObject({ 'ca-key.pem': keyPem, 'cert-chain.pem': chainPem });
    }
  });

  test('of a new root is taken by an istiod that still holds what an intermediate’s rotation gave it', () => {
    const { before, trusting } = rootRotation();
    const root = before.roots.current.certPem;

    expect(istioBundleOf(trusting)['root-cert.pem']).toContain(`${root}${root}`);
  });

  test.each([
    ['root', Object.values(rootRotation())],
    ['intermediate', intermediateRotation()],
  ])(
    'is taken by every release of istiod in a rotation of the %s: one text contains the other',
    (_kind, states) => {
      const texts = states.map((state) => istioBundleOf(state)['root-cert.pem']);

      const contained = texts
        .slice(1)
        .map((text, index) => text.includes(texts[index] ?? '?') || (texts[index] ?? '').includes(text));

      expect(contained).toEqual(contained.map(() => true));
    },
  );

  test('differs from phase to phase, so that proxies ask anew, and ends with what it stays at', () => {
    const { before, trusting, signing, distrusting, after } = rootRotation();
    const [stable, ...begun] = intermediateRotation();

    const texts = [before, trusting, signing, distrusting].map(
      (state) => istioBundleOf(state)['root-cert.pem'],
    );

    expect(new Set(texts).size).toBe(4);
    expect(istioBundleOf(after)).toEqual(istioBundleOf(distrusting));
    expect(begun.map((state) => rootsIn(state).length)).toEqual([2, 1]);
    expect(rootsIn(stable as AuthorityState)).toEqual(rootsIn(begun[1] as AuthorityState));
  });

  test('shows by its first root that it was loaded', () => {
    const { before, trusting, signing, distrusting } = rootRotation();

    const firsts = [before, trusting, signing, distrusting].map((state) => rootsIn(state)[0]);

    expect(firsts).toEqual([
      before.roots.current.certPem,
      trusting.roots.next?.certPem,
      before.roots.current.certPem,
      trusting.roots.next?.certPem,
    ]);
  });

  test('keeps certificates apart whose text lacks the last line break', () => {
    const { trusting } = rootRotation();
    const { certPem } = trusting.roots.current;
    const cut = { ...trusting, roots: { ...trusting.roots, current: { certPem: certPem.trimEnd() } } };

    expect(istioBundleOf({ ...cut, phase: 'Signing' })['root-cert.pem']).not.toContain('----------');
  });
});

describe('the root of what signs', () => {
  test('is the next one from Signing on', () => {
    const { before, trusting, signing, distrusting } = rootRotation();

    expect(signingRootOf(trusting)).toBe(before.roots.current);
    expect(signingRootOf(signing)).toBe(trusting.roots.next);
    expect(signingRootOf(distrusting)).toBe(trusting.roots.next);
  });

  test('stays in a rotation of the intermediate', () => {
    const [stable, signing] = intermediateRotation();

    expect(signingRootOf(signing as AuthorityState)).toBe(stable?.roots.current);
  });
});

function intermediateRotation(): AuthorityState[] {
  const stable = anAuthority();
  const signing = aRotation('intermediate', { state: stable });
  return [stable, signing, advanceRotation(signing, later(48 * hourMs))];
}
