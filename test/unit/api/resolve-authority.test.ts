import { describe, expect, test } from 'vitest';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import { resolveMesh } from '../../../src/api/resolve.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';

const external = { provider: 'External', external: { address: 'ca.example.com:443' } } as const;

function resolved(certificateAuthority: MeshOperatorSpec['certificateAuthority'], spec = {}) {
  return resolveMesh(aMeshOperator({ certificateAuthority, ...spec }));
}

describe('an external authority', () => {
  test('is asked by every proxy, and none is kept for the mesh', () => {
    const { authority, injection } = resolved(external);

    expect(authority).toMatchObject({
      enabled: false,
      external: { address: 'ca.example.com:443', distributes: false },
    });
    expect(injection.caAddress).toBe('ca.example.com:443');
  });

  test('has its roots where it writes them itself, in the namespace of the mesh', () => {
    expect(resolved(external).authority.external?.bundle).toEqual({
      namespace: 'istio-system',
      name: 'istio-ca-root-cert',
      key: 'root-cert.pem',
    });
  });

  test('has its roots in the ConfigMap that the spec names, from where they are brought to namespaces', () => {
    const { authority } = resolved({
      ...external,
      external: { ...external.external, trustBundle: { configMapName: 'roots' } },
    });

    expect(authority.external).toMatchObject({
      bundle: { namespace: 'istio-system', name: 'roots', key: 'ca.crt' },
      distributes: true,
    });
  });

  test('may be named by values.global.caAddress as well', () => {
    const mesh = resolved(external, { values: { global: { caAddress: 'ca.example.com:443' } } });

    expect(mesh.injection.caAddress).toBe('ca.example.com:443');
  });

  test('is nobody’s without a control plane', () => {
    const { authority } = resolved(external, { components: { pilot: { enabled: false } } });

    expect(authority.external).toBeUndefined();
  });
});

describe('SPIRE', () => {
  test('leaves the authority of istiod to the operator', () => {
    const { authority, injection } = resolved({ provider: 'Spire' });

    expect(authority.enabled).toBe(true);
    expect(injection.caAddress).toBe('istiod.istio-system.svc:15012');
  });

  test('is where it is installed by default', () => {
    expect(resolved({ provider: 'Spire' }).authority.spire).toEqual({
      csiDriver: 'csi.spiffe.io',
      bundle: { namespace: 'spire', name: 'spire-bundle', key: 'bundle.crt' },
      isBundleNamed: false,
    });
  });

  test('is where the spec says', () => {
    const spire = { csiDriver: 'spire.example.com', trustBundle: { namespace: 'identity' } };

    expect(resolved({ provider: 'Spire', spire }).authority.spire).toEqual({
      csiDriver: 'spire.example.com',
      bundle: { namespace: 'identity', name: 'spire-bundle', key: 'bundle.crt' },
      isBundleNamed: true,
    });
  });
});
