import type { LabelSelector } from './resolved-injection.ts';

/** A number, a range up to `endPort`, the name of a container port, or without `port` all of a protocol. */
export interface PolicyPort {
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP';
  readonly port?: number | string;
  readonly endPort?: number;
}

/** One end of a connection: pods by selectors, or addresses. */
export interface PolicyPeer {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

/** Without peers it means everybody, without ports every port. */
export interface PolicyIngressRule {
  readonly from?: readonly PolicyPeer[];
  readonly ports?: readonly PolicyPort[];
}

/** Likewise. */
export interface PolicyEgressRule {
  readonly to?: readonly PolicyPeer[];
  readonly ports?: readonly PolicyPort[];
}

/** `spec` of a NetworkPolicy (networking.k8s.io/v1). */
export interface NetworkPolicySpec {
  readonly podSelector?: LabelSelector;
  readonly policyTypes?: readonly string[];
  readonly ingress?: readonly PolicyIngressRule[];
  readonly egress?: readonly PolicyEgressRule[];
}
