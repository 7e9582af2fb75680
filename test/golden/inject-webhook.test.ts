import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { answerText, parseReview } from '../../src/servers/admission-review.ts';
import { parseInjectorConfiguration } from '../../src/servers/injector/injector-configuration.ts';
import { reviewPod } from '../../src/servers/injector/review-pod.ts';
import { aReview } from '../support/admission-review.ts';
import { applyPatch } from '../support/apply-patch.ts';
import { injectScenarioNames, injectScenarios, readInjectScenario } from './inject-scenario.ts';

interface Expected {
  readonly skipped?: string;
  readonly explanation?: string;
  readonly rejected?: string;
  readonly pod?: unknown;
}

interface Response {
  readonly allowed: boolean;
  readonly status?: { readonly message: string };
  readonly patch?: string;
  readonly auditAnnotations?: { readonly decision: string };
}

/** Reasons for which no API server sends a pod: its selectors have looked at the same labels. */
const neverSent: readonly string[] = ['NamespaceOptedOut', 'NotSelected', 'OtherRevision', 'OtherTenant'];

describe.each(await sentScenarioNames())('the webhook, asked about golden injection %s', (name) => {
  it('answers what was reviewed', async () => {
    const { input } = await readInjectScenario(name);
    const expected = await readExpected(name);

    const { reason, response } = ask(input);

    if (expected.rejected !== undefined) {
      expect(response).toEqual({
        uid: expect.any(String),
        allowed: false,
        status: { code: 400, message: expected.rejected },
      });
      return;
    }
    const patch =
      response.patch === undefined ? [] : JSON.parse(Buffer.from(response.patch, 'base64').toString());
    expect(reason).toBe(expected.skipped ?? 'Injected');
    expect(response.allowed).toBe(true);
    if (expected.skipped === undefined) {
      expect(response.auditAnnotations?.decision).toMatch(/^Injected with .*: the selectors of the webhook/);
    } else expect(response.auditAnnotations?.decision).toBe(expected.explanation);
    expect(applyPatch(input.pod, patch)).toEqual(expected.pod ?? input.pod);
  });
});

/** As the process does it, from the texts of configuration and review to that of the answer. */
function ask({
  mesh,
  kubernetesMinor,
  pod,
  namespace,
}: Awaited<ReturnType<typeof readInjectScenario>>['input']) {
  const configuration = parseInjectorConfiguration(JSON.stringify({ mesh, kubernetesMinor }));
  const review = parseReview(Buffer.from(JSON.stringify(aReview(pod, { namespace: namespace.name }))));
  const { reason, answer } = reviewPod(review, { configuration, environment: {} });
  return { reason, response: JSON.parse(answerText(review, answer)).response as Response };
}

async function sentScenarioNames(): Promise<string[]> {
  const sent: string[] = [];
  for (const name of await injectScenarioNames()) {
    if (!neverSent.includes((await readExpected(name)).skipped ?? '')) sent.push(name);
  }
  return sent;
}

async function readExpected(name: string): Promise<Expected> {
  return load(await readFile(join(injectScenarios, name, 'expected.yaml'), 'utf8')) as Expected;
}
