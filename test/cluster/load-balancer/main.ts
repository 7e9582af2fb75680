/**
 * Gives Services of type LoadBalancer an address, until SIGTERM:
 *
 *   node test/cluster/load-balancer/main.ts --kubeconfig <file> --range 10.202.0.0/24
 *
 * It writes `status.loadBalancer` only; kube-proxy does the balancing, and the cluster's network plan has the route.
 */
import { kindInfo } from '../../../src/api/kinds.ts';
import { idOf, idText } from '../../../src/api/kubernetes-object.ts';
import { type DaemonPass, requiredFlag, runClusterDaemon } from '../cluster-daemon.ts';
import { type AddressDecision, type BalancedService, decideAddresses, heldAddress } from './addresses.ts';

const range = requiredFlag(process.argv, 'range');
decideAddresses([], range);

let refused = new Map<string, string>();
await runClusterDaemon({
  kubeconfig: requiredFlag(process.argv, 'kubeconfig'),
  kinds: [kindInfo('v1', 'Service')],
  pass: giveAddresses,
});

async function giveAddresses(pass: DaemonPass): Promise<void> {
  const services = pass.informers.flatMap((informer) => [
    ...informer.values(),
  ]) as unknown as BalancedService[];
  const stillRefused = new Map<string, string>();
  for (const decision of decideAddresses(services, range)) {
    const { metadata } = decision.service;
    const service = `${metadata.namespace}/${metadata.name}`;
    if (decision.refusal !== undefined) {
      stillRefused.set(service, decision.refusal);
      if (refused.get(service) !== decision.refusal) {
        pass.log.warn('No address', { service, because: decision.refusal });
      }
    }
    if (decision.address !== heldAddress(decision.service)) await writeAddress(decision, pass);
  }
  refused = stillRefused;
}

async function writeAddress({ service, address }: AddressDecision, pass: DaemonPass): Promise<void> {
  const id = idOf({ ...service, apiVersion: 'v1', kind: 'Service' });
  const ingress = address === undefined ? null : [{ ip: address, ipMode: 'VIP' }];
  const written = await pass.client.patch(
    id,
    { type: 'merge', merge: { status: { loadBalancer: { ingress } } } },
    { fieldManager: 'load-balancer', subresource: 'status' },
    pass.signal,
  );
  for (const informer of pass.informers) informer.observeWrite(written);
  pass.log.info(address === undefined ? 'Released address' : 'Gave address', {
    service: idText(id),
    address,
  });
}
