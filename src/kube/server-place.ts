import { readFileSync } from 'node:fs';
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
