import { describe, expect, test } from 'vitest';
import type { MeshOperatorSpec } from '../../../../src/api/mesh-operator-spec.ts';
import { resolveMesh } from '../../../../src/api/resolve.ts';
import { renderMesh } from '../../../../src/render/render-mesh.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';
import { aRenderContext } from '../../../support/render-context.ts';
import { findObject } from '../../../support/rendered-objects.ts';

const spec: MeshOperatorSpec = {
  ...{ revision: 'red', profile: 'minimal' },
  tenancy: {
    ...{ tenant: 'pay', members: { selector: {} } },
    egress: [
      {
        host: 'api.example.com',
        ports: [
          { port: 443, protocol: 'TLS' },
          { port: 80, protocol: 'HTTP' },
        ],
        cidrs: ['203.0.113.0/24'],
      },
      { host: 'db.example.com', ports: [{ port: 5432, protocol: 'TCP' }], cidrs: ['198.51.100.7/32'] },
    ],
  },
};
const mesh = resolveMesh(aMeshOperator(spec, { namespace: 'pay-system' }));

function render(...members: readonly string[]) {
  return renderMesh(mesh, aRenderContext(), members).flatMap((wave) => wave.objects);
}

describe('a host outside that a tenant allows', () => {
  test('is known by its name to members, and goes where DNS has it', () => {
    const { metadata, spec: rendered } = findObject(
      render('pay-api', 'pay-db'),
      'ServiceEntry',
      'api.example.com',
    );

    expect(metadata.namespace).toBe('pay-system');
    expect(rendered).toEqual({
      hosts: ['api.example.com'],
      location: 'MESH_EXTERNAL',
      resolution: 'DNS',
      ports: [
        { number: 443, name: 'tls-443', protocol: 'TLS' },
        { number: 80, name: 'http-80', protocol: 'HTTP' },
      ],
      exportTo: ['.', 'pay-api', 'pay-db'],
    });
  });

  test('is known by its addresses where nothing names it', () => {
    expect(findObject(render('pay-api'), 'ServiceEntry', 'db.example.com').spec).toMatchObject({
      addresses: ['198.51.100.7/32'],
      resolution: 'NONE',
    });
  });

  test('is seen by nobody else, not even while there are no members', () => {
    expect(findObject(render(), 'ServiceEntry', 'api.example.com').spec).toMatchObject({ exportTo: ['.'] });
  });
});
