import { describe, expect, test } from 'vitest';
import { containsBlock, parseAddress, parseAddressBlock } from '../../../src/base/address-block.ts';

function isIn(address: string, range: string): boolean {
  const [outer, inner] = [parseAddressBlock(range), parseAddress(address)];
  if (outer === undefined || inner === undefined) throw new Error(`${address} or ${range} cannot be read`);
  return containsBlock(outer, inner);
}

describe('a range of addresses', () => {
  test.each([
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.0.0.0', '10.0.0.0/8', false],
    ['10.1.2.3', '10.1.2.3/32', true],
    ['203.0.113.9', '0.0.0.0/0', true],
    ['10.0.0.1', '10.0.0.128/25', false],
    ['fd00::1', 'fd00::/8', true],
    ['fe80::1', 'fd00::/8', false],
    ['::ffff:10.0.0.1', '::ffff:0:0/96', true],
    ['10.0.0.1', '::/0', false],
  ])('%s is in %s: %s', (address, range, expected) => {
    expect(isIn(address, range)).toBe(expected);
  });

  test('holds a smaller one, and not a larger', () => {
    const [large, small] = ['10.0.0.0/8', '10.4.0.0/16'].map(parseAddressBlock);
    if (large === undefined || small === undefined) throw new Error('cannot be read');

    expect(containsBlock(large, small)).toBe(true);
    expect(containsBlock(small, large)).toBe(false);
  });

  test.each([
    '10.0.0.0',
    '10.0.0/8',
    '256.0.0.0/8',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '01.0.0.0/8',
    ':::/8',
    '1::2::3/64',
    'fd00::/129',
    '1:2:3:4:5:6:7/64',
    '1:2:3:4:5:6:7:8:9/64',
    'g::/8',
    '',
    '/8',
  ])('is not what %s says', (text) => {
    expect(parseAddressBlock(text)).toBeUndefined();
  });
});
