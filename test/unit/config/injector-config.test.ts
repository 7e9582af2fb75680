import { describe, expect, test } from 'vitest';
import { TerminalError } from '../../../src/base/errors.ts';
import { injectorSettings, readInjectorConfig } from '../../../src/config/injector-config.ts';

describe('the configuration of the injector', () => {
  test('has a default for everything', () => {
    expect(readInjectorConfig({}, {})).toEqual({
      bindAddress: ':15017',
      certificateFolder: '/etc/mesh-operator/tls',
      configurationFile: '/etc/mesh-operator/injector/config.json',
      drainDelaySeconds: 5,
      healthBindAddress: ':8081',
      metricsBindAddress: ':8080',
      logLevel: 'info',
    });
  });

  test('takes a flag before a variable, and a variable before the default', () => {
    const env = { MESH_OPERATOR_DRAIN_DELAY_SECONDS: '3', MESH_OPERATOR_LOG_LEVEL: 'debug' };

    const config = readInjectorConfig({ 'drain-delay-seconds': '0' }, env);

    expect(config).toMatchObject({ drainDelaySeconds: 0, logLevel: 'debug' });
  });

  test.each([
    [{ 'drain-delay-seconds': '301' }, '--drain-delay-seconds: "301" is no whole number from 0 to 300'],
    [{ 'bind-address': 'x' }, '--bind-address: "x" is no address; write host:port or :port'],
    [{ 'certificate-folder': ' ' }, '--certificate-folder: a path is needed'],
    [{ 'log-level': 'all' }, '--log-level: "all" is no level; use error, warn, info or debug'],
  ])('refuses %j', (flags: Record<string, string>, message) => {
    const read = () => readInjectorConfig(flags, {});

    expect(read).toThrow(TerminalError);
    expect(read).toThrow(message);
  });

  test('names each flag and each variable once', () => {
    const settings = Object.values(injectorSettings);

    expect(new Set(settings.map(({ flag }) => flag)).size).toBe(settings.length);
    expect(new Set(settings.map(({ env }) => env)).size).toBe(settings.length);
  });
});
