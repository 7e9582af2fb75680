import { z } from 'zod';
import { configMapEntry } from './config-map-entry.ts';
import type { KubernetesObject, ObjectId } from './kubernetes-object.ts';
import { primaryLabel } from './labels.ts';
import { revisionSuffix } from './resolved-mesh.ts';
import { dnsLabel, dnsNameOrAddressRule, labelValue, textOf } from './spec/field-format.ts';

const maxAddresses = 100;

const schema = z.object({
  clusterName: dnsLabel(),
  meshID: labelValue(),
  addresses: z.array(textOf(dnsNameOrAddressRule)).max(maxAddresses),
  version: z.string(),
  signerPem: z.string(),
});

/** What the cluster with the istiod tells one that follows it. */
export interface PrimaryStatement {
  /** Of the cluster with the istiod. */
  readonly clusterName: string;
  readonly meshID: string;
  /** Where that istiod is reached from other clusters, on port 15012: IP addresses and host names. Empty while there is none. */
  readonly addresses: readonly string[];
  /** Names the bundle that every replica of istiod has loaded, to be answered; empty while some has not, and where nobody asks. */
  readonly version: string;
  /** The certificate that istiod signs with: it proves whose leaf a proxy has. Empty where nobody asks for that. */
  readonly signerPem: string;
}

/** What a ConfigMap says, or why it says nothing. */
export type PrimaryReading =
  | { readonly statement: PrimaryStatement; readonly problem?: undefined }
  | { readonly statement?: undefined; readonly problem: string };

/** Keys of the ConfigMap. */
const statementKey = 'primary.json';
/** PEM: the roots that istiod brings to namespaces. */
export const primaryRootsKey = 'root-cert.pem';

/** The ConfigMap in the namespace of a mesh whose istiod is in another cluster; `revision` is that of both. */
export function primaryConfigMapId(namespace: string, revision: string): ObjectId {
  const name = `mesh-operator-primary${revisionSuffix(revision)}`;
  return { apiVersion: 'v1', kind: 'ConfigMap', namespace, name };
}

/**
 * The ConfigMap with a statement and the roots (PEM, empty while there are none). It has no label of ownership: the
 * operator over there must not take it for its own.
 */
export function primaryConfigMap(
  { apiVersion, kind, namespace, name }: ObjectId,
  statement: PrimaryStatement,
  rootsPem: string,
): KubernetesObject {
  return {
    ...{ apiVersion, kind },
    metadata: {
      ...(namespace === undefined ? {} : { namespace }),
      ...{ name, labels: { [primaryLabel]: statement.clusterName } },
    },
    data: { [statementKey]: JSON.stringify(statement), [primaryRootsKey]: rootsPem },
  };
}

/** Reads what `primaryConfigMap` wrote; the text comes from another cluster, and a problem quotes nothing of it. */
export function readPrimary(configMap: KubernetesObject): PrimaryReading {
  const { metadata } = configMap;
  const where = `ConfigMap ${metadata.namespace}/${metadata.name}`;
  const reading = schema.safeParse(jsonOf(configMapEntry(configMap, statementKey)));
  if (reading.success) return { statement: reading.data };
  const [issue] = reading.error.issues;
  const field = issue === undefined || issue.path.length === 0 ? '' : ` (${issue.path.join('.')})`;
  return { problem: `${where} has no ${statementKey} that can be read${field}` };
}

function jsonOf(text = ''): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
