import { describe, expect, it } from 'vitest';
import { canonicalQuantity } from '../../../src/base/quantity.ts';

describe('canonicalQuantity', () => {
  // Left as a person writes it, right as kube-apiserver hands it back.
  it.each([
    ['0', '0'],
    ['0Mi', '0'],
    ['2000m', '2'],
    ['1500m', '1500m'],
    ['0.5', '500m'],
    ['.5', '500m'],
    ['1.', '1'],
    ['1.5Gi', '1536Mi'],
    ['1024Mi', '1Gi'],
    ['2048Mi', '2Gi'],
    ['128Mi', '128Mi'],
    ['1000', '1k'],
    ['1000Ki', '1000Ki'],
    ['512', '512'],
    ['0.5Ki', '512'],
    ['1e3', '1e3'],
    ['12e2', '1200'],
    ['1E', '1E'],
    ['100n', '100n'],
    ['0.0000000001', '1n'],
    ['-2000m', '-2'],
    ['+1', '1'],
  ])('writes %s as %s', (given, canonical) => {
    expect(canonicalQuantity(given)).toBe(canonical);
  });

  it.each(['', '.', 'lots', '1 Gi', '1ki', '--1'])('leaves %j, which is none, alone', (text) => {
    expect(canonicalQuantity(text)).toBe(text);
  });
});
