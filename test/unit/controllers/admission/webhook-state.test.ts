import { describe, expect, it } from 'vitest';
import { injectorReachedAt } from '../../../../src/api/injector-reached.ts';
import {
  caBundleOf,
  hasState,
  statePatch,
  type WebhookState,
} from '../../../../src/controllers/admission/webhook-state.ts';
import { findObject, renderAll } from '../../../support/rendered-objects.ts';
import { aResolvedMesh } from '../../../support/resolved-mesh.ts';

const rendered = findObject(
  renderAll(aResolvedMesh()),
  'MutatingWebhookConfiguration',
  'istio-sidecar-injector-istio-system',
);
const strict: WebhookState = {
  caBundle: 'PEM',
  failurePolicy: 'Fail',
  reachedAt: new Date('2026-01-01T00:00:00Z'),
};

describe('the state of a webhook configuration', () => {
  it('is in a patch of nothing but the fields of the admission controller', () => {
    const patch = statePatch(rendered, strict) as unknown as { webhooks: object[]; metadata: object };

    expect(Object.keys(patch)).toEqual(['apiVersion', 'kind', 'metadata', 'webhooks']);
    for (const webhook of patch.webhooks)
      expect(Object.keys(webhook)).toEqual(['name', 'clientConfig', 'failurePolicy']);
    expect(JSON.stringify(patch.webhooks)).toContain('"caBundle":"UEVN"');
    expect(patch.metadata).toEqual({
      name: rendered.metadata.name,
      annotations: { 'meshoperator.dev/injector-reached': '2026-01-01T00:00:00.000Z' },
    });
  });

  it('is told from another one, and from what was rendered', () => {
    const written = { ...rendered, ...statePatch(rendered, strict) };

    expect(hasState(written, strict)).toBe(true);
    expect(hasState(written, { ...strict, failurePolicy: 'Ignore' })).toBe(false);
    expect(hasState(written, { ...strict, reachedAt: undefined })).toBe(false);
    expect(hasState(written, { ...strict, caBundle: 'OTHER' })).toBe(false);
    expect(hasState(rendered, strict)).toBe(false);
    expect(caBundleOf(written)).toContain('PEM');
    expect(injectorReachedAt(written)).toEqual(strict.reachedAt);
    expect(injectorReachedAt(rendered)).toBeUndefined();
  });

  it('is strict for the self-test whatever the others are, so that the API server says what is wrong', () => {
    const { webhooks } = statePatch(rendered, { ...strict, failurePolicy: 'Ignore' }) as unknown as {
      webhooks: { name: string; failurePolicy: string }[];
    };
    const policies = new Set(
      webhooks.filter(({ name }) => !name.startsWith('self-test')).map((entry) => entry.failurePolicy),
    );

    expect(webhooks.find(({ name }) => name.startsWith('self-test'))?.failurePolicy).toBe('Fail');
    expect([...policies]).toEqual(['Ignore']);
  });
});
