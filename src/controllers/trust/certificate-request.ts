import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { ownershipLabels } from '../../api/labels.ts';
import type { ResolvedIssuer } from '../../api/resolved-authority.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { isRecord } from '../../base/stable-json.ts';
import type { KeyPair } from '../../pki/key-pair.ts';
import { buildSigningRequest } from '../../pki/signing-request.ts';
import { intermediateName, trustDomainOf } from './new-material.ts';

/** What a CertificateRequest is made of. */
export interface RequestedIntermediate {
  readonly mesh: ResolvedMesh;
  readonly issuer: ResolvedIssuer;
  /** The MeshOperator, with which the request goes. */
  readonly owner: KubernetesObject;
  readonly keys: KeyPair;
  readonly lifetimeMs: number;
  /** Tells the request, and the intermediate, from others of the mesh: eight hexadecimal digits. */
  readonly mark: string;
}

/** The longest name of an object (RFC 1123 subdomain). */
const maxNameLength = 253;

/** The request for an intermediate of keys of ours (cert-manager.io/v1); holds no private key. */
export function certificateRequest(requested: RequestedIntermediate): KubernetesObject {
  const { mesh, issuer, owner, lifetimeMs, mark } = requested;
  const end = `-ca-${mark}`;
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'CertificateRequest',
    metadata: {
      name: `${mesh.name.slice(0, maxNameLength - end.length)}${end}`,
      namespace: mesh.namespace,
      labels: ownershipLabels(mesh),
      ownerReferences: [
        {
          apiVersion: owner.apiVersion,
          kind: owner.kind,
          name: owner.metadata.name,
          uid: owner.metadata.uid ?? '',
        },
      ],
    },
    spec: {
      request: Buffer.from(signingRequest(requested)).toString('base64'),
      isCA: true,
      // cert-manager refuses a request that says another thing of them than what it holds.
      usages: ['cert sign', 'crl sign'],
      duration: `${Math.floor(lifetimeMs / 1000)}s`,
      issuerRef: { name: issuer.name, kind: issuer.kind, group: issuer.group },
    },
  };
}

function signingRequest({ mesh, keys, mark }: RequestedIntermediate): string {
  const extensions = [
    { name: 'basicConstraints', critical: true, cA: true, pathLenConstraint: 0 },
    { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
  ];
  const commonName = `${intermediateName} ${mark}`;
  return buildSigningRequest({ commonName, organization: trustDomainOf(mesh), extensions }, keys);
}

/** What has become of a request. `says` completes "CertificateRequest NAME ". */
export type RequestAnswer =
  | { readonly state: 'issued'; readonly chainPem: string; readonly rootPem: string }
  | { readonly state: 'waiting'; readonly says: string }
  | { readonly state: 'refused'; readonly says: string };

/** Reads the conditions of a CertificateRequest as cert-manager's documentation of them has it. */
export function readAnswer({ status }: KubernetesObject): RequestAnswer {
  const { conditions, certificate, ca } = isRecord(status) ? status : {};
  const listed = Array.isArray(conditions) ? conditions.filter(isRecord) : [];
  const find = (type: string) => listed.find((condition) => condition.type === type);
  const isTrue = (type: string) => find(type)?.status === 'True';
  if (isTrue('Denied')) return { state: 'refused', says: `is denied: ${saidBy(find('Denied'))}` };
  if (isTrue('InvalidRequest')) {
    return { state: 'refused', says: `is invalid: ${saidBy(find('InvalidRequest'))}` };
  }
  const ready = find('Ready');
  if (ready?.status === 'True') {
    return { state: 'issued', chainPem: decoded(certificate), rootPem: decoded(ca) };
  }
  if (ready?.reason === 'Failed') return { state: 'refused', says: `has failed: ${saidBy(ready)}` };
  if (!isTrue('Approved')) return { state: 'waiting', says: 'is not approved yet' };
  return {
    state: 'waiting',
    says: ready === undefined ? 'is approved and not signed yet' : `is not signed yet: ${saidBy(ready)}`,
  };
}

/** Enough for any sentence of cert-manager; a status has an end. */
const maxTextLength = 500;

function saidBy(condition: Record<string, unknown> | undefined): string {
  const { reason, message } = condition ?? {};
  const text = [reason, message].filter((part) => typeof part === 'string' && part !== '').join(', ');
  return text.length > maxTextLength ? `${text.slice(0, maxTextLength)}...` : text;
}

function decoded(value: unknown): string {
  return typeof value === 'string' ? Buffer.from(value, 'base64').toString() : '';
}
