import { randomBytes, randomInt } from 'node:crypto';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { TerminalError } from '../../base/errors.ts';
import { issueIntermediate, issueRoot } from '../../pki/authority-certificates.ts';
import type { AuthorityState, IntermediateMaterial, RootMaterial } from '../../pki/authority-state.ts';
import { factsOf } from '../../pki/certificate-facts.ts';
import { rootOrderOf } from '../../pki/istio-bundle.ts';
import { generateKeyPair, keyPairOf } from '../../pki/key-pair.ts';
import type { NewMaterial } from '../../pki/rotation-steps.ts';

const rootName = 'Root CA';
/** What the name of every intermediate begins with. */
export const intermediateName = 'Intermediate CA';

/** What a rotation of this kind brings: new keys, and certificates that end at another second than those in use. */
export async function newMaterial(
  kind: 'root' | 'intermediate',
  state: AuthorityState,
  mesh: ResolvedMesh,
  now: Date,
): Promise<NewMaterial> {
  const { roots, intermediates } = state;
  if (kind === 'intermediate') {
    return { intermediate: await newIntermediate(roots.current, mesh, now, intermediates.current) };
  }
  const root = await newRoot(mesh, now, rootOrderOf(state));
  return { root, intermediate: await newIntermediate(root, mesh, now, intermediates.current) };
}

/** A new root with a key of its own; `inUse` are those that it will be beside, one PEM each. */
export async function newRoot(
  mesh: ResolvedMesh,
  now: Date,
  inUse: readonly string[] = [],
): Promise<RootMaterial> {
  const { algorithm } = mesh.authority.root;
  const lifetimeMs = scatteredLifetimeMs(mesh);
  const keys = await generateKeyPair(algorithm);
  return issueRoot({
    ...{ commonName: rootName, organization: trustDomainOf(mesh), keys, random: randomBytes(16), now },
    lifetimeMs: distinctLifetimeMs(now.getTime() + lifetimeMs, now, inUse),
  });
}

/** A new intermediate of a root whose key we have. */
export async function newIntermediate(
  root: RootMaterial,
  mesh: ResolvedMesh,
  now: Date,
  inUse?: IntermediateMaterial,
): Promise<IntermediateMaterial> {
  if (root.keyPem === undefined) {
    throw new TerminalError('The key of the root is not known, so it can sign no intermediate', {
      reason: 'AuthorityUnusable',
    });
  }
  const { algorithm, lifetimeMs } = mesh.authority.intermediate;
  const keys = await generateKeyPair(algorithm);
  const endMs = Math.min(now.getTime() + lifetimeMs, factsOf(root.certPem).notAfter.getTime());
  return issueIntermediate({
    issuer: { certPem: root.certPem, keys: keyPairOf(root.keyPem) },
    ...{
      commonName: intermediateName,
      organization: trustDomainOf(mesh),
      keys,
      random: randomBytes(16),
      now,
    },
    lifetimeMs: distinctLifetimeMs(endMs, now, inUse === undefined ? [] : [inUse.certPem]),
  });
}

/** By the second in which a certificate ends, replicas of istiod show which one they have loaded. */
function distinctLifetimeMs(endMs: number, now: Date, inUse: readonly string[]): number {
  const secondOf = (ms: number) => Math.floor(ms / 1000);
  const taken = new Set(inUse.map((certPem) => secondOf(factsOf(certPem).notAfter.getTime())));
  let distinctMs = endMs;
  while (taken.has(secondOf(distinctMs))) distinctMs -= 1_000;
  return distinctMs - now.getTime();
}

const hourMs = 3_600_000;

/** Clusters of one mesh are made, and replace their roots, at the same times: these shall not end in the same second. */
function scatteredLifetimeMs({ authority, multiCluster }: ResolvedMesh): number {
  const { lifetimeMs } = authority.root;
  if (multiCluster === undefined) return lifetimeMs;
  return lifetimeMs - randomInt(Math.max(1, Math.floor(Math.min(hourMs, lifetimeMs / 100))));
}

/** What the certificates of the mesh name as their organization. */
export function trustDomainOf({ meshConfig }: ResolvedMesh): string {
  return String(meshConfig.trustDomain ?? 'cluster.local');
}
