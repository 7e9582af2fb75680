import { describe, expect, it } from 'vitest';
import { renderObject } from '../../../src/render/template-engine.ts';

const serviceAccount = 'workload/00-service-account';

describe('renderObject', () => {
  it.each([
    'true',
    '8080',
    '1e3',
    '~',
    '',
    'a: b',
    "it's",
    '"quoted"',
    'line\nbreak',
    '{{inner}}',
    '# no comment',
    '<&>',
    'naïve ✓ 🚀 \u2028 \u0007',
  ])('keeps the user’s text %j as text', (text) => {
    const view = { metadata: { name: 'x', annotations: { text } }, imagePullSecrets: undefined };

    expect(renderObject(serviceAccount, view).metadata.annotations).toEqual({ text });
  });

  it.each([
    { path: 'workload/00-service-account', view: {}, how: 'as YAML' },
    {
      path: 'workload/05-role-binding',
      view: { metadata: { name: 'x' }, bindingKind: 'RoleBinding' },
      how: 'bare',
    },
    {
      path: 'workload/05-role-binding',
      view: { metadata: { name: 'x' }, bindingKind: 'RoleBinding', roleKind: 'Role', subject: {} },
      how: 'quoted',
    },
  ] as const)('refuses a view without a field that the template prints $how', ({ path, view }) => {
    expect(() => renderObject(path, view)).toThrow(/not defined|does not have/);
  });

  it('refuses text that is no Kubernetes object', () => {
    const view = { metadata: 'none', imagePullSecrets: undefined };

    expect(() => renderObject(serviceAccount, view)).toThrow(/00-service-account\.yaml\.hbs/);
  });
});
