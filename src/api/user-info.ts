import { isRecord } from '../base/stable-json.ts';

/** Who asks an API server for something, as it knows them (authentication.k8s.io/v1 UserInfo). */
export interface UserInfo {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  /** What else an authorizer may go by, such as the scopes of a token. */
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** Of one token and the pod that has it: they change from request to request and decide about no right. */
const ofTheToken = 'authentication.kubernetes.io/';

/** The user of an admission request; undefined for what is none. */
export function readUserInfo(value: unknown): UserInfo | undefined {
  if (!isRecord(value) || typeof value.username !== 'string' || value.username === '') return undefined;
  const extra = Object.entries(isRecord(value.extra) ? value.extra : {})
    .filter(([name]) => !name.startsWith(ofTheToken))
    .map(([name, values]) => [name, textsOf(values)] as const);
  return {
    username: value.username,
    ...(typeof value.uid === 'string' && value.uid !== '' ? { uid: value.uid } : {}),
    groups: textsOf(value.groups),
    ...(extra.length === 0 ? {} : { extra: Object.fromEntries(extra) }),
  };
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
