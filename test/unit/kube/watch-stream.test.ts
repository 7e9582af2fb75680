import { describe, expect, test } from 'vitest';
import { GoneError } from '../../../src/kube/errors.ts';
import { linesOf, parseWatchLine } from '../../../src/kube/watch-stream.ts';

async function linesIn(...chunks: string[]): Promise<string[]> {
  async function* stream() {
    for (const chunk of chunks) yield Buffer.from(chunk, 'latin1');
  }
  const lines: string[] = [];
  for await (const line of linesOf(stream())) lines.push(line);
  return lines;
}

describe('the lines of a watch', () => {
  const umlaut = Buffer.from('ä').toString('latin1');

  test.each<[string, string[], string[]]>([
    ['two lines in one chunk', ['a\nb\n'], ['a', 'b']],
    ['one line in three chunks', ['a', 'b', 'c\n'], ['abc']],
    ['an end that comes alone', ['a', '\n', 'b\n'], ['a', 'b']],
    ['a character cut in two', [umlaut.slice(0, 1), `${umlaut.slice(1)}\n`], ['ä']],
    ['empty lines, which are left out', ['\n\na\n'], ['a']],
    ['a last line that was cut off, which is left out', ['a\nb'], ['a']],
  ])('are right for %s', async (_name, chunks, lines) => {
    expect(await linesIn(...chunks)).toEqual(lines);
  });
});

describe('an event of a watch', () => {
  test('is what the line says', () => {
    const line = '{"type":"ADDED","object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}}';

    expect(parseWatchLine('watch pods', line)).toEqual({
      type: 'ADDED',
      object: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } },
    });
  });

  test('is a GoneError when the server says that the version has expired', () => {
    const status = {
      kind: 'Status',
      code: 410,
      reason: 'Expired',
      message: 'too old resource version: 1 (9)',
    };

    expect(() => parseWatchLine('watch pods', JSON.stringify({ type: 'ERROR', object: status }))).toThrow(
      new GoneError('Cannot watch pods: too old resource version: 1 (9)', { reason: 'Expired' }),
    );
  });

  test.each(['{', '[]', '{"type":"ADDED"}'])('is an error for %s', (line) => {
    expect(() => parseWatchLine('watch pods', line)).toThrow(SyntaxError);
  });
});
