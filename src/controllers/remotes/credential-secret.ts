import type { KubernetesObject, ObjectKey } from '../../api/kubernetes-object.ts';
import { managedByLabel, managedByValue, remoteLabel } from '../../api/labels.ts';
import { isRecord } from '../../base/stable-json.ts';
import type { RemoteIdentity } from '../../kube/remote-identity.ts';
import { readSecretText, secretData } from '../../kube/secret-data.ts';
import type { CredentialSlot, CredentialState } from './credential-state.ts';

/** Which credential: that of one mesh for one other cluster. */
export interface CredentialKey {
  readonly mesh: ObjectKey;
  readonly clusterName: string;
}

const slotNames = ['current', 'next', 'previous'] as const;
const stateKey = 'state.json';
const accessKey = 'access.json';

/** Name of the Secret in the operator's namespace; no part of it may have a dot. */
export function credentialSecretName({ mesh, clusterName }: CredentialKey): string {
  return `${mesh.namespace}.${mesh.name}.remote.${clusterName}`;
}

/** The Secret that holds a credential: its tokens, and what is remembered of them. */
export function credentialSecret(
  operatorNamespace: string,
  key: CredentialKey,
  state: CredentialState,
): KubernetesObject {
  const texts: Record<string, string> = {};
  const slots: Record<string, unknown> = {};
  for (const name of slotNames) {
    const slot = state[name];
    if (slot === undefined) continue;
    const { token, ...rest } = slot;
    texts[`${name}.token`] = token;
    slots[name] = rest;
  }
  const { access, ...others } = state;
  texts[stateKey] = JSON.stringify({ ...others, ...slots });
  if (access !== undefined) texts[accessKey] = JSON.stringify(access);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: credentialSecretName(key),
      namespace: operatorNamespace,
      labels: { [managedByLabel]: managedByValue, [remoteLabel]: key.clusterName },
      annotations: { [meshAnnotation]: `${key.mesh.namespace}/${key.mesh.name}` },
    },
    type: 'Opaque',
    data: secretData(texts),
  };
}

/** Names have no length that a label could hold. */
const meshAnnotation = 'meshoperator.dev/mesh';

/** Whose credential a Secret holds; undefined for a Secret that is none. */
export function credentialKeyOf({ metadata }: KubernetesObject): CredentialKey | undefined {
  const clusterName = metadata.labels?.[remoteLabel];
  const [namespace, name] = metadata.annotations?.[meshAnnotation]?.split('/') ?? [];
  if (clusterName === undefined || namespace === undefined || name === undefined) return undefined;
  return { mesh: { namespace, name }, clusterName };
}

/** Reads back what `credentialSecret` wrote. What somebody has changed so that it does not fit together is left out: it is made anew. */
export function readCredential(secret: KubernetesObject): CredentialState {
  const value = parseJson(readSecretText(secret, stateKey) ?? '');
  if (!isRecord(value)) return {};
  const { delivery, isInFile, restart, request, readerOf, configSecret, told } =
    value as unknown as CredentialState;
  const access = parseJson(readSecretText(secret, accessKey) ?? '');
  const slots = slotNames.flatMap((name) => {
    const token = readSecretText(secret, `${name}.token`);
    const rest = value[name];
    return token === undefined || !isRecord(rest) || typeof rest.holder !== 'string'
      ? []
      : [[name, { ...(rest as Omit<CredentialSlot, 'token'>), token }] as const];
  });
  return {
    ...Object.fromEntries(slots),
    ...(delivery === undefined ? {} : { delivery }),
    ...(isInFile === undefined ? {} : { isInFile }),
    ...(restart === undefined ? {} : { restart }),
    ...(isRecord(access) ? { access: access as unknown as RemoteIdentity } : {}),
    ...(readerOf === undefined ? {} : { readerOf }),
    ...(configSecret === undefined ? {} : { configSecret }),
    ...(told === undefined ? {} : { told }),
    ...(request === undefined ? {} : { request }),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
