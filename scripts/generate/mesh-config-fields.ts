import { join, relative } from 'node:path';
import protobuf from 'protobufjs';
import {
  type MeshConfigFields,
  meshConfigMessage,
  networkMessage,
  type ProtoField,
  type ProtoMessages,
} from '../../src/api/proto-fields.ts';
import { istioVersions } from '../../src/api/versions.ts';
import { stableJson } from '../../src/base/stable-json.ts';
import { ensureIstioSource } from '../../test/cluster/toolchain/istio-source.ts';

const protoFiles = ['mesh/v1alpha1/config.proto', 'mesh/v1alpha1/network.proto'];

/** How protobuf's well-known types look in JSON; what is not here is an ordinary message. */
const wellKnown: Readonly<Record<string, string>> = {
  'google.protobuf.Duration': 'duration',
  'google.protobuf.Struct': 'struct',
  'google.protobuf.BoolValue': 'bool',
  'google.protobuf.StringValue': 'string',
  'google.protobuf.BytesValue': 'bytes',
  'google.protobuf.DoubleValue': 'double',
  'google.protobuf.FloatValue': 'float',
  'google.protobuf.Int32Value': 'int32',
  'google.protobuf.Int64Value': 'int64',
  'google.protobuf.UInt32Value': 'uint32',
  'google.protobuf.UInt64Value': 'uint64',
};

/**
 * Every message that MeshConfig and Network reach, read from the .proto files of the module `istio.io/api`; of older
 * minors those alone that differ.
 */
export async function readMeshConfigFields(): Promise<MeshConfigFields> {
  const [newest, ...others] = istioVersions;
  const messages = await readMessages(newest.minor);
  const older: Record<string, ProtoMessages> = {};
  for (const { minor } of others) {
    const differing = Object.entries(await readMessages(minor)).filter(
      ([name, fields]) => stableJson(fields) !== stableJson(messages[name]),
    );
    older[minor] = Object.fromEntries(differing);
  }
  return { messages, older };
}

async function readMessages(minor: string): Promise<ProtoMessages> {
  const folder = await ensureIstioSource(minor, 'istio.io/api');
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) =>
    join(folder, target.startsWith('google/') ? 'common-protos' : '', relativeTo(folder, target));
  root.loadSync(protoFiles, { keepCase: true });
  root.resolveAll();

  const messages: Record<string, Record<string, ProtoField>> = {};
  const open = [meshConfigMessage, networkMessage];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (messages[name] !== undefined) continue;
    const fields = root.lookupType(name).fieldsArray.map(describeField);
    messages[name] = Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)));
    open.push(...fields.flatMap(([, field]) => field.message ?? []));
  }
  return Object.fromEntries(Object.entries(messages).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function relativeTo(folder: string, target: string): string {
  return target.startsWith('/') ? relative(folder, target) : target;
}

function describeField(field: protobuf.Field): [string, ProtoField] {
  return [
    jsonName(field.name),
    {
      ...describeType(field),
      ...(field.repeated ? { repeated: true } : {}),
      ...(field.map ? { map: true } : {}),
      ...(field.partOf === null ? {} : { oneof: field.partOf.name }),
    },
  ];
}

function describeType(field: protobuf.Field): ProtoField {
  const type = field.resolvedType;
  if (type === null) return { kind: field.type };
  if (type instanceof protobuf.Enum) return { kind: 'enum', values: Object.keys(type.values) };
  const message = type.fullName.replace(/^\./, '');
  const kind = wellKnown[message];
  return kind === undefined ? { kind: 'message', message } : { kind };
}

/** The JSON name that protoc gives a field: `_` goes, and a lower-case letter after it becomes a capital. */
function jsonName(name: string): string {
  return name.replace(/_+([a-z]?)/g, (_match, letter: string) => letter.toUpperCase());
}
