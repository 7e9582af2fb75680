import { describe, expect, it } from 'vitest';
import { meshConfigMessages } from '../../../src/api/mesh-config-messages.ts';
import { meshConfigMessage, networkMessage } from '../../../src/api/proto-fields.ts';
import { istioVersions } from '../../../src/api/versions.ts';

const messages = meshConfigMessages('1.31');

describe('the field tree of MeshConfig', () => {
  it.each(istioVersions)('has every message that it refers to in Istio $minor', ({ minor }) => {
    const messages = meshConfigMessages(minor);
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

  it('has in an older minor what that minor has', () => {
    const policy = 'istio.mesh.v1alpha1.MeshConfig.OutboundTrafficPolicy';

    const minors = istioVersions.map(({ minor }) => [
      minor,
      meshConfigMessages(minor)[meshConfigMessage]?.defaultTrafficPolicy !== undefined,
      meshConfigMessages(minor)[policy]?.tls !== undefined,
    ]);

    expect(minors).toEqual([
      ['1.31', true, true],
      ['1.30', false, true],
      ['1.29', false, false],
    ]);
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
