import { dump } from 'js-yaml';
import type { Cluster } from '../cluster/cluster.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { type AppContainer, execIn } from './app-requests.ts';

const controlPlane = 'istio-system';

/**
 * Knows when proxies have accepted what was applied: it applies a route of its own after it, and istiod sends routes
 * last. The proxies must be those that see the namespace `istio-system`, and an ingress gateway.
 */
export class SettledProxies {
  readonly #cluster: Cluster;
  readonly #proxies: readonly AppContainer[];
  #round = 0;

  constructor(cluster: Cluster, proxies: readonly AppContainer[]) {
    this.#cluster = cluster;
    this.#proxies = proxies.map((proxy) => ({ ...proxy, container: 'istio-proxy' }));
  }

  /** Returns when all of them have what was applied or deleted before, and no connection is under an older configuration. */
  async wait(): Promise<void> {
    this.#round += 1;
    const name = `settled-${this.#round}`;
    await this.#cluster.apply(markerNamed(name));
    await Promise.all(this.#proxies.map((proxy) => this.#untilSettled(proxy, name)));
  }

  async #untilSettled(proxy: AppContainer, name: string): Promise<void> {
    const what = `${proxy.namespace}/${proxy.workload} has what was applied`;
    await waitUntil({ what, limitMs: 60_000, intervalMs: 300 }, async () => {
      const ask = (path: string) => execIn(this.#cluster, proxy, 'pilot-agent', 'request', 'GET', path);
      return (
        (await ask('config_dump?resource=dynamic_route_configs')).includes(`"${name}"`) &&
        !(await ask('config_dump?resource=dynamic_listeners')).includes('"warming_state"') &&
        !/draining: [1-9]/.test(await ask('stats?filter=draining'))
      );
    });
  }
}

/** A host that nobody calls, for sidecars and the gateway; its route has this name. */
function markerNamed(name: string): string {
  const metadata = { name: 'settled', namespace: controlPlane };
  const hosts = ['settled.example.com'];
  const apiVersion = 'networking.istio.io/v1';
  const servers = [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts }];
  const http = [{ name, directResponse: { status: 200 } }];
  return [
    { apiVersion, kind: 'Gateway', metadata, spec: { selector: { istio: 'ingressgateway' }, servers } },
    { apiVersion, kind: 'VirtualService', metadata, spec: { hosts, gateways: ['mesh', 'settled'], http } },
  ]
    .map((object) => dump(object))
    .join('---\n');
}
