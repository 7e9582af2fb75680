import type { Finding } from '../../src/pki/lint/finding.ts';

/** Findings as `error OldVersion ca-cert.pem`, in their order: what tests compare. */
export function findingLines(findings: readonly Finding[]): string[] {
  return findings.map(({ severity, rule, where }) => `${severity} ${rule} ${where.replace(/ \(.*$/, '')}`);
}
