import { dump } from 'js-yaml';
import type { Cluster } from '../cluster/cluster.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { type AppContainer, execIn } from './app-requests.ts';

const controlPlane = 'istio-system';

/**
 * Knows when proxies have accepted what was applied: it applies a route of its own after it, and istiod sends routes
 * last. The proxies must be those that see the namespace `istio-system`, and gateways that listen at port 80.
 */
export class SettledProxies {
  readonly #cluster: Cluster;
  readonly #proxies: readonly AppContainer[];
  readonly #gateways: readonly string[];
  #round = 0;

  /** `gateways` are the labels `istio` of the gateways among them. */
  constructor(cluster: Cluster, proxies: readonly AppContainer[], gateways = ['ingressgateway']) {
    this.#cluster = cluster;
    this.#gateways = gateways;
    this.#proxies = proxies.map((proxy) => ({ ...proxy, container: 'istio-proxy' }));
  }

  /** Returns when all of them have what was applied or deleted before, and no connection is under an older configuration. */
  async wait(): Promise<void> {
    this.#round += 1;
    const name = `settled-${this.#round}`;
    await this.#cluster.apply(markerNamed(name, this.#gateways));
    await Promise.all(this.#proxies.map((proxy) => this.#untilSettled(proxy, name)));
  }

  async #untilSettled(proxy: AppContainer, name: string): Promise<void> {
    const what = `${proxy.namespace}/${proxy.workload} has what was applied`;
    await waitUntil({ what, intervalMs: 300 }, async () => {
      const ask = (path: string) => execIn(this.#cluster, proxy, 'pilot-agent', 'request', 'GET', path);
      return (
        (await ask('config_dump?resource=dynamic_route_configs')).includes(`"${name}"`) &&
        !/"(warming|error)_state"/.test(await ask('config_dump?resource=dynamic_listeners')) &&
        !/draining: [1-9]/.test(await ask('stats?filter=draining'))
      );
    });
  }
}

/** A host that nobody calls, for sidecars and gateways; its route has this name. */
function markerNamed(name: string, gateways: readonly string[]): string {
  const apiVersion = 'networking.istio.io/v1';
  const hosts = ['settled.example.com'];
  const servers = [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts }];
  const places = gateways.map((istio) => ({
    ...{ apiVersion, kind: 'Gateway' },
    metadata: { name: `settled-${istio}`, namespace: controlPlane },
    spec: { selector: { istio }, servers },
  }));
  const route = {
    ...{ apiVersion, kind: 'VirtualService' },
    metadata: { name: 'settled', namespace: controlPlane },
    spec: {
      hosts,
      gateways: ['mesh', ...places.map(({ metadata }) => metadata.name)],
      http: [{ name, directResponse: { status: 200 } }],
    },
  };
  return [...places, route].map((object) => dump(object)).join('---\n');
}
