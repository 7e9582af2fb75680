import { expect, test } from 'vitest';
import { findMeshProblems } from '../../../src/cli/mesh-problems.ts';
import { convertDocuments } from '../../../src/convert/convert.ts';

function specOf(values: object, options: { readonly isSail?: boolean } = {}): unknown {
  const value = options.isSail
    ? {
        ...{ apiVersion: 'sailoperator.io/v1', kind: 'IstioRevision', metadata: { name: 'default' } },
        spec: { version: 'v1.31.0', namespace: 'istio-system', values },
      }
    : values;
  const from = options.isSail ? 'sail' : 'helm-values';
  const [converted] = convertDocuments([{ source: 'values', value }], {
    ...{ from, chart: 'istiod', findProblems: findMeshProblems },
  });
  expect(converted?.losses).toEqual([]);
  return converted?.mesh.spec;
}

function imagesOf(pilot: string, proxy: string, global: object = {}): object {
  return {
    pilot: { image: pilot },
    global: { proxy: { image: proxy }, proxy_init: { image: proxy }, ...global },
  };
}

const pilot = 'mirror.example.com:5000/istio/pilot:1.31.0';
const proxy = 'mirror.example.com:5000/istio/proxyv2:1.31.0';

test('images of one place and release are hub and version, so that another version has others', () => {
  const expected = { version: '1.31.0', profile: 'minimal', hub: 'mirror.example.com:5000/istio' };

  expect(specOf(imagesOf(pilot, proxy))).toEqual(expected);
  expect(specOf(imagesOf(pilot, proxy), { isSail: true })).toEqual(expected);
});

test('images of Istio itself need no hub', () => {
  const [istiod, istioProxy] = ['pilot', 'proxyv2'].map((name) => `registry.istio.io/release/${name}:1.31.0`);

  expect(specOf(imagesOf(String(istiod), String(istioProxy)))).toEqual({
    version: '1.31.0',
    profile: 'minimal',
  });
});

test.each([
  ['of two places', imagesOf(pilot, 'other.example.com/proxyv2:1.31.0')],
  ['of two releases', imagesOf(pilot, 'mirror.example.com:5000/istio/proxyv2:1.30.0')],
  ['by other names', imagesOf('mirror.example.com:5000/istio/istiod:1.31.0', proxy)],
  ['by digest', imagesOf(`mirror.example.com/pilot@sha256:${'0'.repeat(64)}`, proxy)],
  ['of no release', imagesOf(pilot.replace('1.31.0', 'nightly'), proxy.replace('1.31.0', 'nightly'))],
  ['of istiod alone', { pilot: { image: pilot } }],
])('images %s stay as they are', (_what, values) => {
  expect(specOf(values)).toMatchObject({ values });
});

test('images of another release than that of the IstioRevision stay, too', () => {
  const values = imagesOf(pilot.replace('1.31.0', '1.30.1'), proxy.replace('1.31.0', '1.30.1'));

  expect(specOf(values, { isSail: true })).toMatchObject({ version: '1.31.0', values });
});

test('so do images beside a hub, which is for those that are not named', () => {
  const values = imagesOf(pilot, proxy, { hub: 'other.example.com/istio' });

  expect(specOf(values)).toMatchObject({ hub: 'other.example.com/istio', values: imagesOf(pilot, proxy) });
});
