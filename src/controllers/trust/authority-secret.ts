import { createPrivateKey, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { authorityLabel, managedByLabel, managedByValue } from '../../api/labels.ts';
import { isRecord } from '../../base/stable-json.ts';
import { readSecretText, secretData } from '../../kube/secret-data.ts';
import {
  type AuthorityState,
  type IntermediateMaterial,
  phases,
  type RootMaterial,
  type Slots,
} from '../../pki/authority-state.ts';
import { isCertificate, splitCertificates } from '../../pki/certificate-facts.ts';

const slotNames = ['current', 'next', 'previous'] as const;
type SlotName = (typeof slotNames)[number];

/** The one entry that is no certificate and no key. */
const stateKey = 'state.json';

/** Name of the Secret that holds the authority of a control-plane namespace. */
export function authoritySecretName(namespace: string): string {
  return `${namespace}.ca`;
}

/**
 * The Secret that holds an authority, in the operator's own namespace: each slot's certificate and key, and the phase.
 * All of it is one object, so that each step of a rotation is one write.
 */
export function authoritySecret(
  operatorNamespace: string,
  namespace: string,
  state: AuthorityState,
): KubernetesObject {
  const { roots, intermediates, ...rest } = state;
  const texts: Record<string, string> = { [stateKey]: JSON.stringify(rest) };
  for (const slot of slotNames) {
    const root = roots[slot];
    const intermediate = intermediates[slot];
    if (root !== undefined) {
      texts[`root-${slot}.crt`] = root.certPem;
      if (root.keyPem !== undefined) texts[`root-${slot}.key`] = root.keyPem;
    }
    if (intermediate !== undefined) {
      texts[`intermediate-${slot}.crt`] = intermediate.certPem;
      texts[`intermediate-${slot}.key`] = intermediate.keyPem;
      texts[`intermediate-${slot}-chain.crt`] = intermediate.chainPem;
    }
  }
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: authoritySecretName(namespace),
      namespace: operatorNamespace,
      labels: { [managedByLabel]: managedByValue, [authorityLabel]: namespace },
    },
    type: 'Opaque',
    data: secretData(texts),
  };
}

/** What was read of an authority's Secret: the authority, or what is wrong with it, which never quotes it. */
export type AuthorityReading =
  | { readonly state: AuthorityState; readonly problem?: undefined }
  | { readonly state?: undefined; readonly problem: string };

/** Reads back what `authoritySecret` wrote. What somebody has changed by hand is used whole or not at all. */
export function readAuthority(secret: KubernetesObject): AuthorityReading {
  try {
    const rest = parseState(readSecretText(secret, stateKey));
    const roots = readSlots(secret, readRoot, 'root');
    const intermediates = readSlots(secret, readIntermediate, 'intermediate');
    const state = { ...rest, roots, intermediates };
    assertWhole(state);
    return { state };
  } catch (error) {
    if (error instanceof UnusableSlot) return { problem: error.message };
    throw error;
  }
}

/** Its message names entries of the Secret and no content. */
class UnusableSlot extends Error {}

type Rest = Omit<AuthorityState, 'roots' | 'intermediates'>;

function parseState(text: string | undefined): Rest {
  const value = parseJson(text);
  if (!isRecord(value) || !phases.some((phase) => phase === value.phase)) {
    throw new UnusableSlot(`${stateKey} names no phase`);
  }
  const { rotation } = value;
  const isWhole =
    value.phase === 'Stable'
      ? rotation === undefined
      : isRecord(rotation) && (rotation.kind === 'root' || rotation.kind === 'intermediate');
  if (!isWhole) throw new UnusableSlot(`${stateKey} has a phase and a rotation that do not fit together`);
  if (value.exchange !== undefined) assertExchange(value.exchange);
  return value as unknown as Rest;
}

const exchangeSchema = z.object({
  members: z.array(z.object({ clusterName: z.string(), roots: z.array(z.string()), takesOurs: z.boolean() })),
  order: z.array(z.string()).min(1),
  since: z.string(),
  accepted: z.array(z.string()),
  held: z.array(z.string()),
});

function assertExchange(value: unknown): void {
  const { success, data } = exchangeSchema.safeParse(value);
  const areRoots =
    success && [...data.order, ...data.members.flatMap(({ roots }) => roots)].every(isCertificate);
  if (!areRoots) throw new UnusableSlot(`${stateKey} has an exchange that cannot be read`);
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    throw new UnusableSlot(`${stateKey} is missing or no JSON`);
  }
}

function readSlots<Material>(
  secret: KubernetesObject,
  read: (secret: KubernetesObject, name: string) => Material | undefined,
  kind: string,
): Slots<Material> {
  const [current, next, previous] = slotNames.map((slot: SlotName) => read(secret, `${kind}-${slot}`));
  if (current === undefined) throw new UnusableSlot(`${kind}-current.crt is missing`);
  return {
    current,
    ...(next === undefined ? {} : { next }),
    ...(previous === undefined ? {} : { previous }),
  };
}

function readRoot(secret: KubernetesObject, name: string): RootMaterial | undefined {
  const certPem = readSecretText(secret, `${name}.crt`);
  if (certPem === undefined) return undefined;
  const keyPem = readSecretText(secret, `${name}.key`);
  assertPair(name, certPem, keyPem);
  return keyPem === undefined ? { certPem } : { certPem, keyPem };
}

function readIntermediate(secret: KubernetesObject, name: string): IntermediateMaterial | undefined {
  const certPem = readSecretText(secret, `${name}.crt`);
  if (certPem === undefined) return undefined;
  const keyPem = readSecretText(secret, `${name}.key`);
  const chainPem = readSecretText(secret, `${name}-chain.crt`);
  if (keyPem === undefined) throw new UnusableSlot(`${name}.key is missing`);
  if (chainPem === undefined) throw new UnusableSlot(`${name}-chain.crt is missing`);
  assertPair(name, certPem, keyPem);
  return { certPem, keyPem, chainPem };
}

function assertPair(name: string, certPem: string, keyPem: string | undefined): void {
  let fits: boolean;
  try {
    const certificate = new X509Certificate(certPem);
    fits = keyPem === undefined || certificate.checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    // The parser's own words could repeat parts of a key.
    throw new UnusableSlot(`${name}.crt or ${name}.key cannot be read`);
  }
  if (!fits) throw new UnusableSlot(`${name}.key is not the key of ${name}.crt`);
}

/** Each intermediate must lead to a root that is there, and a phase must have the slots that it is about. */
function assertWhole({ phase, roots, intermediates, rotation }: AuthorityState): void {
  assertChain('intermediate-current', intermediates.current, roots.current);
  if (intermediates.next !== undefined) {
    assertChain('intermediate-next', intermediates.next, roots.next ?? roots.current);
  }
  const needsNext = phase === 'Trusting' || phase === 'Signing';
  if (needsNext && intermediates.next === undefined)
    throw new UnusableSlot('intermediate-next.crt is missing');
  if (needsNext && rotation?.kind === 'root' && roots.next === undefined) {
    throw new UnusableSlot('root-next.crt is missing');
  }
}

function assertChain(name: string, { chainPem }: IntermediateMaterial, root: RootMaterial): void {
  const chain = [...splitCertificates(chainPem), root.certPem].map((pem) => new X509Certificate(pem));
  const isBroken = chain.some((certificate, index) => {
    const issuer = chain[index + 1] ?? certificate;
    return certificate.fingerprint256 !== issuer.fingerprint256 && !certificate.verify(issuer.publicKey);
  });
  if (isBroken) throw new UnusableSlot(`${name}-chain.crt does not lead to its root`);
}
