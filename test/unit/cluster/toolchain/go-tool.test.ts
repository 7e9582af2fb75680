import { expect, test } from 'vitest';
import { isNewEnough } from '../../../cluster/toolchain/go-compiler.ts';
import { moduleVersion } from '../../../cluster/toolchain/go-tool.ts';

const goMod = `module example.dev/tools

go 1.26.0

require example.dev/single v1.2.3

require (
	example.dev/block v0.4.5 // indirect
	example.dev/block/v2 v2.0.1
)

replace example.dev/replaced => example.dev/replaced v9.9.9
`;

test.each([
  ['example.dev/single', 'v1.2.3'],
  ['example.dev/block', 'v0.4.5'],
  ['example.dev/block/v2', 'v2.0.1'],
])('reads the version of %s', (path, version) => {
  expect(moduleVersion(goMod, path)).toBe(version);
});

test.each(['example.dev/absent', 'example.dev', 'example.dev/replaced'])(
  'refuses %s, which is not required',
  (path) => {
    expect(() => moduleVersion(goMod, path)).toThrow(`the go.mod does not require ${path}`);
  },
);

test.each([
  ['go1.26', true],
  ['go1.26.0', true],
  ['go1.26.8', true],
  ['go1.27rc1', true],
  ['go2.0', true],
  ['go1.25.9', false],
  ['go1.3', false],
  ['devel +abc', false],
  ['', false],
])('%s is new enough: %s', (version, expected) => {
  expect(isNewEnough(version)).toBe(expected);
});
