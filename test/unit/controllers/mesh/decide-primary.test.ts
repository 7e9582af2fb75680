import { describe, expect, test } from 'vitest';
import {
  type PrimaryStatement,
  primaryConfigMap,
  primaryConfigMapId,
} from '../../../../src/api/primary-statement.ts';
import { decidePrimary } from '../../../../src/controllers/mesh/decide-primary.ts';

const mesh = { namespace: 'istio-system', revision: '', meshId: 'shop' };
const id = primaryConfigMapId(mesh.namespace, mesh.revision);

function told(changes: Partial<PrimaryStatement> = {}) {
  const statement = {
    ...{ clusterName: 'east', meshID: 'shop', version: 'v1', signerPem: '' },
    ...{ addresses: ['192.0.2.7'], ...changes },
  };
  return primaryConfigMap(id, statement, '');
}

describe('a mesh that follows the istiod of another cluster', () => {
  test('has its addresses from what that cluster says', () => {
    const addresses = ['192.0.2.7', '2001:db8::7', 'east.example.com'];

    expect(decidePrimary(mesh, told({ addresses }))).toEqual({ addresses });
  });

  test('reads what is said to its own revision', () => {
    expect(primaryConfigMapId('mesh', 'canary').name).toBe('mesh-operator-primary-canary');
  });

  test.each([
    {
      what: 'while nobody has said anything',
      configMap: undefined,
      says: 'name this cluster there in spec.multiCluster.remotes with role Remote, or set spec.values.global.remotePilotAddress here',
    },
    {
      what: 'while that has no address',
      configMap: told({ addresses: [] }),
      says: 'Waits for an address at which the istiod of cluster east is reached',
    },
    {
      what: 'while it is of another mesh',
      configMap: told({ meshID: 'bank' }),
      says: 'is of cluster east in mesh bank, not shop: give both the same meshID',
    },
    {
      what: 'while it is no statement',
      configMap: { ...told(), data: { 'primary.json': '{' } },
      says: 'ConfigMap istio-system/mesh-operator-primary has no primary.json that can be read',
    },
    {
      what: 'while it has an address that is none',
      configMap: told({ addresses: ['no address!'] }),
      says: 'has no primary.json that can be read (addresses.0)',
    },
  ])('waits $what, and says for what', ({ configMap, says }) => {
    const { addresses, awaits } = decidePrimary(mesh, configMap);

    expect(addresses).toBeUndefined();
    expect(awaits).toContain(says);
  });
});
