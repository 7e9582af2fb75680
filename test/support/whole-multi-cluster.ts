import type { MeshOperatorSpec } from '../../src/api/mesh-operator-spec.ts';

/** Every field of `spec.multiCluster`, in specs that are valid. */
export const wholeMultiCluster: readonly MeshOperatorSpec[] = [
  {
    multiCluster: {
      ...{ meshID: 'shop', clusterName: 'east', network: 'network-east', role: 'Primary' },
      remotes: [
        {
          ...{ clusterName: 'west', role: 'Primary', kubeconfig: { secretName: 'west', key: 'config' } },
          ...{ server: 'https://west.example.com:6443', tlsServerName: 'kubernetes' },
          ...{ proxyURL: 'http://proxy.example.com:3128', credential: { type: 'Bound', lifetime: '1h' } },
        },
        {
          ...{ clusterName: 'north', role: 'Remote' },
          token: { secretName: 'north', server: 'https://north.example.com' },
        },
      ],
    },
    components: { eastWestGateways: [{ name: 'istio-eastwestgateway' }] },
    certificateAuthority: { rotation: { absentMembers: { proceedAfter: '24h' } } },
  },
  {
    multiCluster: {
      ...{ meshID: 'shop', clusterName: 'east', configCluster: 'west' },
      remotes: [{ clusterName: 'west', role: 'Remote', kubeconfig: { secretName: 'west' } }],
    },
  },
];
