import { beforeAll, describe, expect, it } from 'vitest';
import { resolveMesh } from '../../src/api/resolve.ts';
import { meshDashboards } from '../../src/render/monitoring/dashboards/dashboards.ts';
import { run } from '../cluster/toolchain/run-command.ts';
import { ensureTool } from '../cluster/toolchain/tools.ts';
import { aMeshOperator } from '../support/mesh-operator.ts';

const dashboards = meshDashboards(resolveMesh(aMeshOperator({ telemetry: { monitoring: {} } })));

describe('a dashboard, by Grafana’s own schema', () => {
  let program: string;

  beforeAll(async () => {
    program = await ensureTool('grafana-schema');
  });

  const check = (json: unknown) => run(program, [], { input: JSON.stringify(json) });

  it.each(dashboards)('is one: $name', async ({ json }) => {
    await check(json);
  });

  it.each<readonly [string, object, RegExp]>([
    ['a field that Grafana does not have', { colour: 'red' }, /colour/],
    ['panels of another form', { panels: [{ type: 'stat', gridPos: { x: 'left' } }] }, /gridPos/],
    ['no annotations', { annotations: undefined }, /annotations: required/],
  ])('is none with %s', async (_what, change, says) => {
    await expect(check({ ...dashboards[0]?.json, ...change })).rejects.toThrow(says);
  });
});
