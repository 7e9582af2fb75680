import { describe, expect, it } from 'vitest';
import { proxyStateOf } from '../../../../src/controllers/data-plane/proxy-state.ts';
import { aPodRecord, type PodRecordOptions } from '../../../support/pod-records.ts';
import { aResolvedMesh } from '../../../support/resolved-mesh.ts';

const chosen = { 'istio-injection': 'enabled' };
const current = 'registry.istio.io/release/proxyv2:1.31.1';
const older = 'registry.istio.io/release/proxyv2:1.30.3';
const mark = { 'sidecar.istio.io/status': '{"revision":"default"}' };

const stateOf = (options: PodRecordOptions, labels: Record<string, string> = chosen) =>
  proxyStateOf(aPodRecord(options), labels, aResolvedMesh());

describe('proxyStateOf', () => {
  it('tells a pod with a sidecar, an older one, and one without', () => {
    expect(stateOf({ proxyImage: current, annotations: mark })).toBe('injected');
    expect(stateOf({ proxyImage: older, annotations: mark })).toBe('outdated');
    expect(stateOf({})).toBe('bare');
  });

  it('takes a pod that chose its proxy’s image at its word', () => {
    const annotations = { ...mark, 'sidecar.istio.io/proxyImage': older };

    expect(stateOf({ proxyImage: older, annotations })).toBe('injected');
  });

  it('takes a pod with the injector’s mark for injected, even without a proxy', () => {
    expect(stateOf({ annotations: mark })).toBe('injected');
  });

  it.each<[string, PodRecordOptions, Record<string, string>?]>([
    ['of a namespace that asks for nothing', {}, {}],
    ['of a namespace of another revision', {}, { 'istio.io/rev': 'canary' }],
    ['that opted out by its label', { labels: { 'sidecar.istio.io/inject': 'false' } }],
    ['that opted out by its annotation', { annotations: { 'sidecar.istio.io/inject': 'false' } }],
    ['in the network of its node', { spec: { hostNetwork: true } }],
    ['for Windows', { spec: { os: { name: 'windows' } } }],
    ['in a namespace of Kubernetes', { namespace: 'kube-system' }],
    ['in the namespace of the control plane', { namespace: 'istio-system' }],
    ['that has ended', { phase: 'Succeeded' }],
    ['that has failed', { phase: 'Failed' }],
    ['that is about to end', { isTerminating: true }],
    ['that names a template that does not exist', { annotations: { 'inject.istio.io/templates': 'x' } }],
  ])('leaves a pod alone %s', (_which, options, labels) => {
    expect(stateOf(options, labels)).toBe('outside');
  });
});
