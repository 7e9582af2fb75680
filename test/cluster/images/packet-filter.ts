import { ensureDebianTree } from './debian-tree.ts';
import { copiedTree, type LayerEntry } from './layer.ts';

/**
 * iptables in both variants, and nft: with them `pilot-agent istio-iptables` sends a pod's traffic to its proxy.
 * The layer stands on `debianBaseLayer`.
 */
export async function packetFilterLayer(): Promise<LayerEntry[]> {
  const root = await ensureDebianTree({
    name: 'packet-filter',
    purpose: 'iptables and nft for images',
    packages: [
      ...['iptables', 'libip4tc2', 'libip6tc2', 'libxtables12', 'libmnl0', 'libnftnl11'],
      ...['libnetfilter-conntrack3', 'libnfnetlink0'],
      ...[
        'nftables',
        'libnftables1',
        'libjansson4',
        'libgmp10',
        'libedit2',
        'libbsd0',
        'libmd0',
        'libtinfo6',
      ],
    ],
    without: ['etc', 'usr/lib/systemd', 'usr/share'],
  });
  return copiedTree('/', root);
}
