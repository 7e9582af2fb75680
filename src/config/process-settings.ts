import { parseAddress, parseLogLevel } from './parse-setting.ts';

/** Settings that every long-running program has; spread into its own. */
export const processSettings = {
  healthBindAddress: {
    flag: 'health-bind-address',
    env: 'MESH_OPERATOR_HEALTH_BIND_ADDRESS',
    value: 'host:port',
    description: 'Address of /healthz and /readyz',
    default: ':8081',
    parse: parseAddress,
  },
  metricsBindAddress: {
    flag: 'metrics-bind-address',
    env: 'MESH_OPERATOR_METRICS_BIND_ADDRESS',
    value: 'host:port',
    description: 'Address of /metrics',
    default: ':8080',
    parse: parseAddress,
  },
  logLevel: {
    flag: 'log-level',
    env: 'MESH_OPERATOR_LOG_LEVEL',
    value: 'level',
    description: 'error, warn, info or debug',
    default: 'info',
    parse: parseLogLevel,
  },
};
