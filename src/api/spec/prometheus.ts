import { httpAddress } from './field-format.ts';

/** Address of a Prometheus that knows what proxies count. */
export const prometheusAddress = () =>
  httpAddress().describe(
    'Where the HTTP API of a Prometheus is that scrapes the proxies, for example `http://prometheus.monitoring:9090`.',
  );
