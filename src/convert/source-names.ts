/** What documents can be. */
export const sourceNames = ['istio-operator', 'sail', 'helm-values', 'maistra'] as const;
export type SourceName = (typeof sourceNames)[number];

/** Istio's charts, by their names in its Helm repository. */
export const chartNames = ['base', 'istiod', 'gateway', 'cni', 'ztunnel'] as const;
export type ChartName = (typeof chartNames)[number];
