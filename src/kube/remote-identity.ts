import { KubeConfig } from '@kubernetes/client-node';
import { load } from 'js-yaml';
import { z } from 'zod';
import type { Clock } from '../base/clock.ts';
import { TerminalError } from '../base/errors.ts';
import { ApiConnection } from './api-connection.ts';

/** What one shows an API server. */
export type Credential =
  | { readonly token: string }
  | { readonly certPem: string; readonly keyPem: string }
  | { readonly username: string; readonly password: string };

/** Another cluster's API server, and whom we are there; complete, without any file of ours. */
export interface RemoteIdentity {
  readonly server: string;
  /** Absent: whom the machine trusts. */
  readonly caPem?: string;
  /** Name in the server's certificate; absent: the host of its address. */
  readonly tlsServerName?: string;
  readonly proxyUrl?: string;
  readonly credential: Credential;
}

const base64Text = z.base64().transform((text) => Buffer.from(text, 'base64').toString());

const clusterSchema = z.looseObject({
  server: z.string(),
  'certificate-authority': z.unknown().optional(),
  'certificate-authority-data': base64Text.optional(),
  'insecure-skip-tls-verify': z.boolean().optional(),
  'tls-server-name': z.string().optional(),
  'proxy-url': z.string().optional(),
});

const userSchema = z.looseObject({
  token: z.string().optional(),
  'client-certificate-data': base64Text.optional(),
  'client-key-data': base64Text.optional(),
  username: z.string().optional(),
  password: z.string().optional(),
});

const named = <T extends z.ZodType>(key: string, schema: T) =>
  z.array(z.looseObject({ name: z.string(), [key]: schema })).default([]);

const kubeconfigSchema = z.looseObject({
  'current-context': z.string(),
  contexts: z.array(
    z.looseObject({ name: z.string(), context: z.looseObject({ cluster: z.string(), user: z.string() }) }),
  ),
  clusters: named('cluster', z.unknown()),
  users: named('user', z.unknown()),
});

/** Fields by which a kubeconfig would have us run a program, or read a file that is not its author's. */
const refusedOfUser = ['exec', 'auth-provider', 'tokenFile', 'client-certificate', 'client-key'];

/**
 * Reads the current context of a kubeconfig that somebody else wrote. Only what is in the text itself counts: programs,
 * paths of files and servers without TLS are refused.
 * Throws TerminalError with reason `InvalidKubeconfig`; `source` says whose it is, and no value is ever quoted.
 */
export function readKubeconfig(text: string, source: string): RemoteIdentity {
  const refuse = (message: string) =>
    new TerminalError(`${source}: ${message}`, { reason: 'InvalidKubeconfig' });
  let document: unknown;
  try {
    document = load(text);
  } catch {
    // The parser quotes the line, which may be a key.
    throw refuse('is no YAML');
  }
  const config = parsed(kubeconfigSchema, document, '', refuse);
  const name = config['current-context'];
  const context = config.contexts.find((entry) => entry.name === name)?.context;
  if (context === undefined) throw refuse('contexts: has none of the name in current-context');
  const cluster = parsed(
    clusterSchema,
    config.clusters.find((entry) => entry.name === context.cluster)?.cluster,
    'cluster of the current context',
    refuse,
  );
  const rawUser = config.users.find((entry) => entry.name === context.user)?.user;
  const user = parsed(userSchema, rawUser, 'user of the current context', refuse);
  for (const field of refusedOfUser) {
    if (user[field] !== undefined)
      throw refuse(
        `user.${field}: must not be used; put a token or a client certificate into the text itself`,
      );
  }
  if (cluster['certificate-authority'] !== undefined)
    throw refuse('cluster.certificate-authority: must not be a path; use certificate-authority-data');
  if (cluster['insecure-skip-tls-verify'] === true)
    throw refuse('cluster.insecure-skip-tls-verify: must not be true: credentials would go to anybody');
  if (!/^https:\/\/[^/]/.test(cluster.server)) throw refuse('cluster.server: must be an https address');
  const {
    'certificate-authority-data': caPem,
    'tls-server-name': tlsServerName,
    'proxy-url': proxyUrl,
  } = cluster;
  return {
    server: cluster.server.replace(/\/+$/, ''),
    ...(caPem === undefined ? {} : { caPem }),
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
    ...(proxyUrl === undefined ? {} : { proxyUrl }),
    credential: credentialOf(user, refuse),
  };
}

function credentialOf(user: z.infer<typeof userSchema>, refuse: (message: string) => Error): Credential {
  const { token, 'client-certificate-data': certPem, 'client-key-data': keyPem, username, password } = user;
  if (token !== undefined && token !== '') return { token };
  if (certPem !== undefined && keyPem !== undefined) return { certPem, keyPem };
  if (username !== undefined && password !== undefined) return { username, password };
  throw refuse(
    'user: must have token, or client-certificate-data with client-key-data, or username with password',
  );
}

function parsed<T extends z.ZodType>(
  schema: T,
  value: unknown,
  place: string,
  refuse: (message: string) => Error,
): z.infer<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = [place, ...(issue?.path ?? []).map(String)].filter((part) => part !== '').join('.');
  // Messages of the library name types and never values.
  throw refuse(`${path === '' ? 'kubeconfig' : path}: ${issue?.message ?? 'is not valid'}`);
}

/** A connection as that identity; nothing is opened yet. */
export function connectRemote(identity: RemoteIdentity, clock: Clock): ApiConnection {
  const { server, caPem, tlsServerName, proxyUrl, credential } = identity;
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [
      {
        name: 'remote',
        server,
        ...(caPem === undefined ? {} : { caData: toBase64(caPem) }),
        ...(tlsServerName === undefined ? {} : { tlsServerName }),
        ...(proxyUrl === undefined ? {} : { proxyUrl }),
        skipTLSVerify: false,
      },
    ],
    users: [
      {
        name: 'remote',
        ...('token' in credential
          ? { token: credential.token }
          : 'certPem' in credential
            ? { certData: toBase64(credential.certPem), keyData: toBase64(credential.keyPem) }
            : { username: credential.username, password: credential.password }),
      },
    ],
    contexts: [{ name: 'remote', cluster: 'remote', user: 'remote' }],
    currentContext: 'remote',
  });
  return new ApiConnection(config, clock);
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64');
}
