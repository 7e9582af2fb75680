import { randomBytes } from 'node:crypto';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { managedBySelector, ownershipLabels } from '../../api/labels.ts';
import { meshOperatorApiVersion, meshOperatorKind } from '../../api/mesh-operator.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { generateKeyPair } from '../../pki/key-pair.ts';
import { type IssuedServingCertificate, issueServingCertificate } from '../../pki/serving-certificate.ts';
import { injectorHost, servingSecretName } from '../../render/injector/names.ts';
import { certificateLifetimeMs } from './plan-certificate.ts';
import { parseSlot, type ServingSlots, type SlotCertificate, servingSecretData } from './serving-slots.ts';

const nameLabel = 'app.kubernetes.io/name';
const servingSecretLabel = 'sidecar-injector';

/** Selects the Secrets with the serving certificates of injectors, and no other Secret. */
export const servingSecretSelector = `${managedBySelector},${nameLabel}=${servingSecretLabel}`;

/** A new certificate for the injector of a mesh. */
export function issueFor(mesh: ResolvedMesh, now: Date): Promise<SlotCertificate> {
  const host = injectorHost(mesh);
  return issueServing([host, `${host}.${mesh.proxy.clusterDomain}`], now);
}

/** A new certificate for a server that is called by these names, with new keys and an authority of its own. */
export async function issueServing(
  dnsNames: readonly [string, ...string[]],
  now: Date,
): Promise<SlotCertificate> {
  const [authority, server] = await Promise.all([generateKeyPair('RSA-2048'), generateKeyPair('RSA-2048')]);
  const issued: IssuedServingCertificate = issueServingCertificate({
    dnsNames,
    now,
    lifetimeMs: certificateLifetimeMs,
    keys: { authority, server },
    random: randomBytes(32),
  });
  const certificate = parseSlot(issued, dnsNames[0]);
  if (certificate === undefined)
    throw new Error(`The certificate made for ${dnsNames[0]} does not fit together`);
  return certificate;
}

/**
 * The Secret with these slots, for server-side apply: slots that are not named go. It belongs to the MeshOperator and
 * goes with it.
 */
export function servingSecret(
  meshObject: KubernetesObject,
  mesh: ResolvedMesh,
  slots: ServingSlots,
): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: servingSecretName(mesh),
      namespace: mesh.namespace,
      labels: { [nameLabel]: servingSecretLabel, ...ownershipLabels(mesh) },
      ownerReferences: [
        {
          apiVersion: meshOperatorApiVersion,
          kind: meshOperatorKind,
          name: mesh.name,
          uid: meshObject.metadata.uid ?? '',
          controller: true,
        },
      ],
    },
    type: 'Opaque',
    data: servingSecretData(slots),
  };
}
