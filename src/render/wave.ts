import type { KubernetesObject } from '../api/kubernetes-object.ts';

/**
 * In the order of installation; deletion goes the other way. `other-revisions` are control planes that come or go in an
 * upgrade: nothing waits for their health. `members` are what namespaces of a tenant get, whose pods need an injector.
 */
export const waveNames = [
  'access',
  'control-plane',
  'other-revisions',
  'admission',
  'injector',
  'members',
  'cni',
  'ztunnel',
  'gateways',
  'policies',
] as const;

export type WaveName = (typeof waveNames)[number];

/** Objects that may be applied together, once those of the waves before are healthy. */
export interface Wave {
  readonly name: WaveName;
  readonly objects: readonly KubernetesObject[];
}
