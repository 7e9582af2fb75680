import { describe, expect, it } from 'vitest';
import { nearestName } from '../../../../src/api/validation/nearest-name.ts';

const names = [
  'accessLogFile',
  'accessLogFormat',
  'enableTracing',
  'hub',
  'replicaCount',
  'tag',
  'trustDomain',
];

describe('nearestName', () => {
  it.each([
    { word: 'acessLogFile', name: 'accessLogFile', why: 'a missing letter' },
    { word: 'accessLogFlie', name: 'accessLogFile', why: 'two swapped letters' },
    { word: 'enabelTracing', name: 'enableTracing', why: 'two swapped letters' },
    { word: 'trust_domain', name: 'trustDomain', why: 'another spelling' },
    { word: 'TrustDomain', name: 'trustDomain', why: 'other capitals' },
    { word: 'access-log-file', name: 'accessLogFile', why: 'another spelling' },
    { word: 'tga', name: 'tag', why: 'two swapped letters' },
    { word: 'replica', name: 'replicaCount', why: 'a beginning' },
    { word: 'zone', name: undefined, why: 'nothing near' },
    { word: 'hats', name: undefined, why: 'too many errors for a short word' },
    { word: '', name: undefined, why: 'no word' },
  ])('$word is $name: $why', ({ word, name }) => {
    expect(nearestName(word, names)).toBe(name);
  });

  it('decides between equal ones by the alphabet', () => {
    expect(nearestName('bat', ['cat', 'bad', 'mat'])).toBe('bad');
  });
});
