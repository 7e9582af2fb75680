import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { type ConvertOptions, convert } from '../../../src/cli/convert.ts';
import { UsageError } from '../../../src/cli/terminal.ts';
import { runCli } from '../../support/run-cli.ts';

const run = (input: string, options: Partial<ConvertOptions> = {}) =>
  runCli((terminal) => convert({ filename: '-', ...options }, terminal), input);

const iop = (spec: string) =>
  `{ apiVersion: install.istio.io/v1alpha1, kind: IstioOperator, metadata: { name: a }, spec: ${spec} }`;

describe('mesh-operator convert', () => {
  it('ends with 0 and says nothing more when all is carried', async () => {
    const { code, stdout, stderr } = await run(iop('{ profile: minimal }'));

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(load(stdout)).toEqual({
      apiVersion: 'meshoperator.dev/v1alpha1',
      kind: 'MeshOperator',
      metadata: { name: 'a', namespace: 'istio-system' },
      spec: { profile: 'minimal' },
    });
  });

  it('prints the mesh and ends with 1 when something is lost, one line each', async () => {
    const { code, stdout, stderr } = await run(
      iop('{ profile: minimal, installPackagePath: /x, hub: "a b" }'),
    );

    expect(code).toBe(1);
    expect(load(stdout)).toMatchObject({ spec: { profile: 'minimal' } });
    expect(stderr.split('\n')).toEqual([
      'standard input: spec.installPackagePath: is not a field: templates are part of the operator',
      expect.stringMatching(/^standard input: spec\.hub: must be a registry/),
      '',
    ]);
  });

  it('says of several documents which one a loss is of', async () => {
    const { stderr } = await run(`${iop('{ revision: a, x: 1 }')}\n---\n${iop('{ revision: b, y: 2 }')}\n`);

    expect(stderr).toMatch(/^standard input\[1\]: spec\.x: .*\nstandard input\[2\]: spec\.y: .*\n$/);
  });

  it('takes name and namespace for documents that have none', async () => {
    const options = { from: 'helm-values', name: 'mine', namespace: 'mesh-system' } as const;

    const { stdout } = await run('pilot: { autoscaleMin: 2 }', options);

    expect(load(stdout)).toMatchObject({ metadata: { name: 'mine', namespace: 'mesh-system' } });
  });

  it('takes Helm values for those of the chart that is named', async () => {
    const { stdout } = await run('resources: {}', {
      from: 'helm-values',
      chart: 'gateway',
      release: 'edge',
    });

    expect(load(stdout)).toMatchObject({ spec: { components: { ingressGateways: [{ name: 'edge' }] } } });
  });

  it.each<[string, string, Partial<ConvertOptions>, RegExp]>([
    [
      'nothing that is known',
      'kind: Deployment',
      {},
      /^there is nothing to convert: known are IstioOperator, Istio,/,
    ],
    ['values without saying so', 'global: {}', {}, /for Helm values give --from helm-values$/],
    ['another source than is named', iop('{}'), { from: 'sail' }, /^there is nothing to convert/],
    [
      'values that several charts have',
      'resources: {}',
      { from: 'helm-values' },
      /^these values could be those of the charts .*: say which by --chart$/,
    ],
    [
      'a chart of what is no chart',
      iop('{}'),
      { chart: 'istiod' },
      /^--chart and --release are for --from helm-values$/,
    ],
    ['nothing at all', '', {}, /found was nothing$/],
    ['what is no YAML', 'a: [', {}, /^standard input is not valid YAML/],
  ])('is called wrongly with %s', async (_name, input, options, says) => {
    const error = await run(input, options).catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(UsageError);
    expect(String((error as Error).message)).toMatch(says);
  });
});
