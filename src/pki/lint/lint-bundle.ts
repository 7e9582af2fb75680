import { posix } from 'node:path';
import { type Bundle, readBundle, readLoneFile } from './bundle.ts';
import type { Finding } from './finding.ts';
import { filesOf, istioLayout, layoutOf, tlsLayout } from './layout.ts';
import type { BundleRule, CertificateRule } from './rule.ts';
import { authorityExtensionFindings } from './rules/authority-extensions.ts';
import { chainFindings } from './rules/chain.ts';
import { keyFindings, signatureFindings } from './rules/cryptography.ts';
import { fileFindings } from './rules/files.ts';
import { keyIdentifierMismatchFindings, missingKeyIdentifierFindings } from './rules/key-identifiers.ts';
import { keyMatchFindings } from './rules/key-match.ts';
import { nestingFindings, validityFindings } from './rules/lifetimes.ts';
import { pathLengthFindings } from './rules/path-length.ts';
import { rootFindings } from './rules/roots.ts';
import { duplicateSerialFindings, negativeSerialFindings } from './rules/serials.ts';
import { sharedRootFindings } from './shared-roots.ts';

/** Certificate by certificate from the roots down, which is the order in which they are repaired. */
const certificateRules: readonly CertificateRule[] = [
  ...[authorityExtensionFindings, keyFindings, signatureFindings, negativeSerialFindings],
  ...[duplicateSerialFindings, pathLengthFindings, validityFindings, nestingFindings],
  ...[missingKeyIdentifierFindings, keyIdentifierMismatchFindings],
];

const bundleRules: readonly BundleRule[] = [chainFindings, keyMatchFindings, rootFindings];

/**
 * What is wrong with the files that istiod is given, by their names as they are in the Secret or its mount: in Istio's
 * layout or that of `kubernetes.io/tls`, which comes first as in istiod; other files are not looked at. Never throws,
 * whatever the texts are; no finding holds key material.
 */
export function lintBundle(files: Readonly<Record<string, string>>, now: Date): Finding[] {
  const layout = layoutOf(files);
  return layout === undefined ? [noLayout()] : findingsOf(readBundle(files, layout), now);
}

/** Something to look at: the files of a bundle, or a PEM text that stands alone. */
export type LintInput = { readonly name: string } & (
  | { readonly files: Readonly<Record<string, string>> }
  | { readonly text: string }
);

/** What is wrong with an input, or between two of them, which are named together then. */
export interface LintReport {
  readonly input: string;
  readonly findings: readonly Finding[];
}

/**
 * A report of each input, as `lintBundle` gives it, and one of each two whose roots differ: they are taken for clusters
 * of one mesh. A text that stands alone holds certificates with their chain, roots, or a key; its root may be elsewhere.
 */
export function lintInputs(inputs: readonly LintInput[], now: Date): LintReport[] {
  const bundles = inputs.map((input) => ({ name: input.name, bundle: bundleOf(input) }));
  const own = bundles.map(({ name, bundle }) => ({
    input: name,
    findings: bundle === undefined ? [noLayout()] : findingsOf(bundle, now),
  }));
  const known = bundles.flatMap(({ name, bundle }) => (bundle === undefined ? [] : [{ name, bundle }]));
  const between = sharedRootFindings(known).map((finding) => ({ input: finding.where, findings: [finding] }));
  return [...own, ...between];
}

function bundleOf(input: LintInput): Bundle | undefined {
  if ('text' in input) return readLoneFile(posix.basename(input.name), input.text);
  const layout = layoutOf(input.files);
  return layout === undefined ? undefined : readBundle(input.files, layout);
}

function findingsOf(bundle: Bundle, now: Date): Finding[] {
  return [
    ...fileFindings(bundle),
    ...bundle.certificates.flatMap((certificate) =>
      certificateRules.flatMap((rule) => rule(certificate, bundle, now)),
    ),
    ...bundleRules.flatMap((rule) => rule(bundle)),
  ];
}

function noLayout(): Finding {
  const layouts = [istioLayout, tlsLayout].map((layout) => filesOf(layout).join(', '));
  return {
    ...{ severity: 'error', rule: 'MissingFile', where: 'the bundle' },
    problem: `It holds none of the files that istiod reads: ${layouts.join('; or ')}`,
    fix: 'Name the files so.',
  };
}
