import { describe, expect, test } from 'vitest';
import { openRequest, parseRequest } from '../../../src/pki/rotation-request.ts';

describe('a request to rotate', () => {
  test.each([
    ['root', 'root'],
    ['intermediate', 'intermediate'],
    ['KeyCompromise', 'KeyCompromise'],
    ['Recovery', 'Recovery'],
    ['root/2026-03-01', 'root'],
    ['KeyCompromise/once/more', 'KeyCompromise'],
    ['intermediate/', 'intermediate'],
  ])('%s asks for %s', (text, name) => {
    expect(parseRequest(text)).toEqual({ name });
  });

  test.each(['', 'Root', 'keycompromise', 'root ', '/root', 'all'])(
    '%j asks for nothing, and says what may be asked',
    (text) => {
      const { name, problem } = parseRequest(text);

      expect(name).toBeUndefined();
      expect(problem).toContain(JSON.stringify(text.split('/')[0]));
      expect(problem).toContain('ask for root, intermediate, KeyCompromise, Recovery');
    },
  );

  test('is cut short in a message', () => {
    expect(parseRequest('x'.repeat(10_000)).problem?.length).toBeLessThan(250);
  });

  test('is open until it is answered, and again when its text differs', () => {
    expect(openRequest({}, 'root')).toBe('root');
    expect(openRequest({ answeredRequest: 'root' }, 'root')).toBeUndefined();
    expect(openRequest({ answeredRequest: 'root' }, 'root/again')).toBe('root');
    expect(openRequest({ answeredRequest: 'root' }, undefined)).toBeUndefined();
    expect(openRequest({}, 'nonsense')).toBeUndefined();
  });
});
