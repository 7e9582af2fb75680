import { describe, expect, it } from 'vitest';
import { isOlderProxy } from '../../../../src/controllers/data-plane/proxy-age.ts';

describe('isOlderProxy', () => {
  it.each([
    ['hub/proxyv2:1.30.3', '1.31.1', true],
    ['hub/proxyv2:1.31.0', '1.31.1', true],
    ['hub/proxyv2:1.9.9', '1.31.1', true],
    ['hub/proxyv2:1.31.1', '1.31.1', false],
    ['hub/proxyv2:1.31.1-distroless', '1.31.1', false],
    ['hub/proxyv2:1.31.2', '1.31.1', false],
    ['hub:5000/proxyv2:1.30.3', '1.31.1', true],
    ['hub/proxyv2:1.30.3@sha256:aa', '1.31.1', true],
    ['hub/proxyv2:nightly', 'weekly', true],
    ['hub/proxyv2:nightly-debug', 'nightly', false],
    ['hub/proxyv2:nightly', '1.31.1', true],
    ['hub:5000/proxyv2@sha256:aa', '1.31.1', false],
    ['hub/proxyv2', '1.31.1', false],
  ])('a proxy of %s in a mesh of %s: %s', (image, tag, expected) => {
    expect(isOlderProxy(image, tag)).toBe(expected);
  });
});
