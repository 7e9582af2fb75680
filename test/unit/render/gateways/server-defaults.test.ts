import { describe, expect, it } from 'vitest';
import { withServerDefaults } from '../../../../src/render/gateways/server-defaults.ts';

describe('withServerDefaults', () => {
  it('says of which version the path of a field is', () => {
    const part = {
      name: 'app',
      env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
    };

    expect(withServerDefaults(part)).toMatchObject({
      env: [{ name: 'A', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } }],
    });
  });

  it('leaves out the zeros of probes, and of nothing else', () => {
    const part = {
      readinessProbe: { httpGet: { path: '/', port: 80 }, initialDelaySeconds: 0, periodSeconds: 15 },
      securityContext: { runAsUser: 0 },
    };

    expect(withServerDefaults(part)).toEqual({
      readinessProbe: { httpGet: { path: '/', port: 80 }, periodSeconds: 15 },
      securityContext: { runAsUser: 0 },
    });
  });

  it('makes an emptyDir of a volume that does not say what it is', () => {
    expect(withServerDefaults({ name: 'workload-socket' })).toEqual({
      name: 'workload-socket',
      emptyDir: {},
    });
    expect(withServerDefaults({ name: 'certs', configMap: { name: 'x' } })).toEqual({
      name: 'certs',
      configMap: { name: 'x' },
    });
  });
});
