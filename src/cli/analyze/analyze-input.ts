import type { AnalysisInput } from './analysis-input.ts';
import { checkCrds, checkVersions } from './cluster-checks.ts';
import type { AnalysisFinding } from './finding.ts';
import { checkCertificates, checkMeshes, checkMutualTls } from './mesh-checks.ts';
import { checkNamespaces, checkRevisionsOfObjects } from './namespace-checks.ts';
import { checkPods } from './pod-checks.ts';
import { checkWebhooks } from './webhook-checks.ts';

/** Everything that a person wants to know before and after an upgrade; errors first. Pure. */
export function analyzeInput(input: AnalysisInput, now: Date): AnalysisFinding[] {
  return errorsFirst([
    ...checkMeshes(input),
    ...checkVersions(input, now),
    ...checkCrds(input),
    ...checkNamespaces(input),
    ...checkWebhooks(input),
    ...checkPods(input),
    ...checkRevisionsOfObjects(input),
    ...checkCertificates(input, now),
    ...checkMutualTls(input),
  ]);
}

export function errorsFirst(findings: readonly AnalysisFinding[]): AnalysisFinding[] {
  const of = (severity: AnalysisFinding['severity']) =>
    findings.filter((finding) => finding.severity === severity);
  return [...of('error'), ...of('warning')];
}
