import { describe, expect, it } from 'vitest';
import { findObject, renderAll } from '../../../support/rendered-objects.ts';
import { aResolvedMesh } from '../../../support/resolved-mesh.ts';

const webhooksOf = (name: string, mesh = aResolvedMesh()) =>
  findObject(renderAll(mesh), 'ValidatingWebhookConfiguration', name).webhooks as Record<string, unknown>[];

describe('validation webhooks', () => {
  it.each(['istio-validator-istio-system', 'istiod-default-validator'])(
    'leave caBundle of %s to istiod, and refuse nothing before istiod says so',
    (name) => {
      const webhooks = webhooksOf(name);

      expect(webhooks).toHaveLength(1);
      expect(webhooks[0]?.failurePolicy).toBe('Ignore');
      expect(webhooks[0]?.clientConfig).not.toHaveProperty('caBundle');
    },
  );

  it('carry the revision as istio.io/rev, by which istiod finds the ones it patches', () => {
    const objects = renderAll(aResolvedMesh({ revision: 'canary' }));
    const { labels } = findObject(
      objects,
      'ValidatingWebhookConfiguration',
      'istio-validator-canary-istio-system',
    ).metadata;

    expect(labels?.['istio.io/rev']).toBe('canary');
  });

  it('send an object to one istiod only: its revision’s, or the default one', () => {
    expect(webhooksOf('istio-validator-istio-system')[0]?.objectSelector).toEqual({
      matchExpressions: [{ key: 'istio.io/rev', operator: 'In', values: ['default'] }],
    });
    expect(webhooksOf('istiod-default-validator')[0]?.objectSelector).toEqual({
      matchExpressions: [{ key: 'istio.io/rev', operator: 'DoesNotExist' }],
    });
  });

  it('have one default in a cluster: a revision does not render it', () => {
    const names = renderAll(aResolvedMesh({ revision: 'canary' })).map(({ metadata }) => metadata.name);

    expect(names).not.toContain('istiod-default-validator');
  });
});
