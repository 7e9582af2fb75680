import { describe, expect, it } from 'vitest';
import meshConfigFields from '../../../generated/mesh-config-fields.json' with { type: 'json' };
import { meshConfigMessage, networkMessage, type ProtoMessages } from '../../../src/api/proto-fields.ts';

const messages = meshConfigFields as ProtoMessages;

describe('the field tree of MeshConfig', () => {
  it('has every message that it refers to', () => {
    const fields = Object.values(messages).flatMap((message) => Object.values(message));
    const missing = fields.filter(({ message }) => message !== undefined && messages[message] === undefined);

    expect(fields.length).toBeGreaterThan(300);
    expect(missing).toEqual([]);
  });

  it.each([
    { message: meshConfigMessage, field: 'meshMTLS', kind: 'message' },
    { message: meshConfigMessage, field: 'enableAutoMtls', kind: 'bool' },
    { message: meshConfigMessage, field: 'connectTimeout', kind: 'duration' },
    { message: meshConfigMessage, field: 'accessLogEncoding', kind: 'enum' },
    { message: meshConfigMessage, field: 'proxyListenPort', kind: 'int32' },
    {
      message: 'istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.ZipkinTracingProvider',
      field: 'enable64bitTraceId',
      kind: 'bool',
    },
    { message: 'istio.mesh.v1alpha1.ProxyConfig', field: 'concurrency', kind: 'int32' },
    { message: networkMessage, field: 'endpoints', kind: 'message' },
  ])('knows $field of $message by its JSON name, as $kind', ({ message, field, kind }) => {
    expect(messages[message]?.[field]).toMatchObject({ kind });
  });

  it('tells lists, maps and choices apart', () => {
    const mesh = messages[meshConfigMessage];
    const proxy = messages['istio.mesh.v1alpha1.ProxyConfig'];
    const provider = messages['istio.mesh.v1alpha1.MeshConfig.ExtensionProvider'];

    expect(mesh?.trustDomainAliases).toEqual({ kind: 'string', repeated: true });
    expect(proxy?.proxyMetadata).toEqual({ kind: 'string', map: true });
    expect(provider?.zipkin).toMatchObject({ oneof: 'provider' });
    expect(provider?.name).toEqual({ kind: 'string' });
  });
});
