/**
 * ConfigMaps that istiod makes in its own namespace for leader election, shared by all revisions there
 * (Istio pilot/pkg/leaderelection/leaderelection.go).
 */
export const lockConfigMaps = [
  'istio-leader',
  'istio-namespace-controller-election',
  'istio-serviceexport-controller-election',
  'istio-gateway-status-leader',
  'istio-analyze-leader',
  'istio-node-untaint',
  'istio-ip-autoallocate',
];
