import { describe, expect, test } from 'vitest';
import { TerminalError } from '../../../src/base/errors.ts';
import { operatorSettings, readOperatorConfig } from '../../../src/config/operator-config.ts';

describe('the configuration of the operator', () => {
  test('has a default for everything but where the API server is', () => {
    expect(readOperatorConfig({}, {})).toMatchObject({
      namespace: undefined,
      kubeconfig: undefined,
      leaderElection: true,
      leaseName: 'mesh-operator',
      workers: 32,
      maxInFlight: 128,
      healthBindAddress: ':8081',
      metricsBindAddress: ':8080',
      logLevel: 'info',
    });
  });

  test('takes a flag before a variable, and a variable before the default', () => {
    const env = {
      MESH_OPERATOR_WORKERS: '3',
      MESH_OPERATOR_LOG_LEVEL: 'debug',
      MESH_OPERATOR_LEASE_NAME: '',
    };

    const config = readOperatorConfig({ workers: '5' }, env);

    expect(config).toMatchObject({ workers: 5, logLevel: 'debug', leaseName: 'mesh-operator' });
  });

  test.each([
    [{ workers: '0' }, {}, '--workers: "0" is no whole number from 1 to 256'],
    [{ workers: '1e3' }, {}, '--workers: "1e3" is no whole number from 1 to 256'],
    [{}, { MESH_OPERATOR_WORKERS: 'x' }, 'MESH_OPERATOR_WORKERS: "x" is no whole number from 1 to 256'],
    [{ 'log-level': 'trace' }, {}, '--log-level: "trace" is no level; use error, warn, info or debug'],
    [
      { 'lease-name': 'A b' },
      {},
      '--lease-name: "A b" is no name; use lower-case letters, digits and -, at most 63',
    ],
    [{ 'leader-election': 'yes' }, {}, '--leader-election: "yes" is neither true nor false'],
    [
      { 'health-bind-address': '80' },
      {},
      '--health-bind-address: "80" is no address; write host:port or :port',
    ],
  ])('refuses %j %j', (flags, env, message) => {
    const read = () => readOperatorConfig(flags, env);

    expect(read).toThrow(TerminalError);
    expect(read).toThrow(message);
  });

  test('names each flag and each variable once', () => {
    const settings = Object.values(operatorSettings);

    expect(new Set(settings.map(({ flag }) => flag)).size).toBe(settings.length);
    expect(new Set(settings.map(({ env }) => env)).size).toBe(settings.length);
  });
});
