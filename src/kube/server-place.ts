import { readFileSync } from 'node:fs';
import { type AddressBlock, containsBlock, parseAddress, parseAddressBlock } from '../base/address-block.ts';
import { messageOf, TerminalError } from '../base/errors.ts';
import type { ApiConnection } from './api-connection.ts';
import type { RemoteIdentity } from './remote-identity.ts';

/** Where an API server is and how it is known, complete, without who we are there. */
export type ServerPlace = Omit<RemoteIdentity, 'credential'>;

/**
 * Where the API server of a connection is, to be told to others. Throws TerminalError when its certificate is not checked,
 * or the file of who signs it cannot be read.
 */
export function serverPlace({ baseUrl, config }: ApiConnection): ServerPlace {
  const { caData, caFile, skipTLSVerify, tlsServerName, proxyUrl } = config.getCurrentCluster() ?? {};
  if (skipTLSVerify === true) {
    const message = `The kubeconfig does not check the certificate of ${baseUrl}: credentials would go to anybody; give it certificate-authority-data`;
    throw new TerminalError(message, { reason: 'InvalidKubeconfig' });
  }
  const caPem = caData === undefined ? readAuthority(caFile) : Buffer.from(caData, 'base64').toString();
  return {
    server: baseUrl,
    ...(caPem === undefined ? {} : { caPem }),
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
    ...(proxyUrl === undefined ? {} : { proxyUrl }),
  };
}

/** Addresses that mean whichever machine they are used on (RFC 6890 loopback and "this network", RFC 4291 2.5.2, 2.5.3, 2.5.5.2). */
const ofTheMachine = [
  '127.0.0.0/8',
  '0.0.0.0/8',
  '::1/128',
  '::/128',
  '::ffff:127.0.0.0/104',
  '::ffff:0.0.0.0/104',
];

/** Whether an API server is where nobody but programs of the same machine finds it. A proxy may know its own by such an address. */
export function isOnlyLocal({ server, proxyUrl }: ServerPlace): boolean {
  if (proxyUrl !== undefined) return false;
  const host = new URL(server).hostname.replace(/^\[|\]$/g, '');
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  const address = parseAddress(host);
  if (address === undefined) return false;
  return ofTheMachine.some((range) => containsBlock(parseAddressBlock(range) as AddressBlock, address));
}

function readAuthority(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new TerminalError(`Cannot read certificate-authority ${path}: ${messageOf(cause)}`, {
      ...{ reason: 'InvalidKubeconfig', cause },
    });
  }
}
