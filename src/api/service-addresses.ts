import { isRecord } from '../base/stable-json.ts';
import type { KubernetesObject } from './kubernetes-object.ts';

/** The addresses that a load balancer gave a Service: IPs or host names, in the order of status. */
export function loadBalancerAddresses({ status }: KubernetesObject): string[] {
  const { ingress } = recordOf(recordOf(status).loadBalancer);
  if (!Array.isArray(ingress)) return [];
  return ingress.flatMap((entry) => {
    const { ip, hostname } = recordOf(entry);
    return textsOf([ip, hostname]).slice(0, 1);
  });
}

/** The addresses that a Service has besides (`spec.externalIPs`). */
export function externalAddresses({ spec }: KubernetesObject): string[] {
  return textsOf(recordOf(spec).externalIPs);
}

/** The texts of a list that are not empty. */
export function textsOf(values: unknown): string[] {
  return Array.isArray(values) ? values.filter((value) => typeof value === 'string' && value !== '') : [];
}

function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}
