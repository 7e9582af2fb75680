/** What documents can be. */
export const sourceNames = ['istio-operator', 'sail', 'helm-values', 'maistra'] as const;
export type SourceName = (typeof sourceNames)[number];

/** Istio's charts, by their names in its Helm repository. */
export const chartNames = ['base', 'istiod', 'gateway', 'cni', 'ztunnel'] as const;
export type ChartName = (typeof chartNames)[number];

/** What `apiVersion` of the objects of the operator of Sail begins with, in its releases up to now. */
export const sailGroup = /^(sailoperator\.io|operator\.istio\.io)\//;
