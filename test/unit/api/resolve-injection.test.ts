import { describe, expect, it } from 'vitest';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import { resolveMesh } from '../../../src/api/resolve.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';

const injectionOf = (spec: MeshOperatorSpec) => resolveMesh(aMeshOperator(spec)).injection;

describe('the resolved injector', () => {
  it('has the defaults of Istio', () => {
    expect(injectionOf({})).toMatchObject({
      policy: 'enabled',
      enableNamespacesByDefault: false,
      defaultTemplates: ['sidecar'],
      nativeSidecars: 'Auto',
      rewriteAppHTTPProbers: true,
      statusPort: 15020,
      caAddress: 'istiod.istio-system.svc:15012',
      cni: { enabled: false, provider: 'default' },
      resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '2000m', memory: '1024Mi' } },
      startupProbe: { enabled: true, failureThreshold: 600 },
      traffic: { includeIPRanges: '*', includeInboundPorts: '*', excludeIPRanges: '' },
    });
  });

  it('asks the istiod of its own revision for certificates', () => {
    expect(injectionOf({ revision: 'canary' }).caAddress).toBe('istiod-canary.istio-system.svc:15012');
  });

  it('takes spec.sidecarInjector before values', () => {
    const webhook = {
      rewriteAppHTTPProbe: true,
      enableNamespacesByDefault: true,
      injectedAnnotations: { a: 'values', b: 'values' },
      defaultTemplates: ['gateway'],
    };
    const both = injectionOf({
      sidecarInjector: {
        rewriteAppHTTPProbers: false,
        enableNamespacesByDefault: false,
        injectedAnnotations: { a: 'spec' },
        defaultTemplates: ['grpc-agent'],
      },
      values: { sidecarInjectorWebhook: webhook },
    });

    expect(both).toMatchObject({
      rewriteAppHTTPProbers: false,
      enableNamespacesByDefault: false,
      injectedAnnotations: { a: 'spec', b: 'values' },
      defaultTemplates: ['grpc-agent'],
    });
    expect(injectionOf({ values: { sidecarInjectorWebhook: webhook } })).toMatchObject({
      enableNamespacesByDefault: true,
      defaultTemplates: ['gateway'],
    });
  });

  it.each([
    ['auto', 'Auto'],
    ['true', 'Always'],
    ['false', 'Never'],
    ['other', 'Never'],
  ])('reads ENABLE_NATIVE_SIDECARS=%s as istiod does: %s', (value, expected) => {
    const env = { ENABLE_NATIVE_SIDECARS: value };

    expect(injectionOf({ values: { pilot: { env } } }).nativeSidecars).toBe(expected);
    expect(
      injectionOf({ values: { pilot: { env } }, sidecarInjector: { nativeSidecars: 'Auto' } }).nativeSidecars,
    ).toBe('Auto');
  });
});
