/** How one field of a protobuf message looks in JSON. */
export interface ProtoField {
  /**
   * `string`, `bool`, `double`, `int32`, `uint32`, `int64`, `uint64` and `bytes` as in protobuf; `duration` and
   * `struct` for those well-known types; `enum` and `message` refer to `values` and `message`.
   */
  readonly kind: string;
  readonly repeated?: true;
  /** The field is a map with string keys; `kind` is that of its values. */
  readonly map?: true;
  /** Names of the enum. */
  readonly values?: readonly string[];
  /** Full name of the message. */
  readonly message?: string;
  /** Name of the `oneof` the field belongs to: only one of its fields may be set. */
  readonly oneof?: string;
}

/** Messages by full name, each with its fields by JSON name. */
export type ProtoMessages = Readonly<Record<string, Readonly<Record<string, ProtoField>>>>;

/** The messages that MeshConfig and Network reach, of every minor of Istio. */
export interface MeshConfigFields {
  /** Those of the newest minor. */
  readonly messages: ProtoMessages;
  /** By older minor, the messages that differ there. */
  readonly older: Readonly<Record<string, ProtoMessages>>;
}

/** What Istio reads from the key `mesh` of its ConfigMap. */
export const meshConfigMessage = 'istio.mesh.v1alpha1.MeshConfig';
/** One network of the key `meshNetworks`. */
export const networkMessage = 'istio.mesh.v1alpha1.Network';
