import { describe, expect, it } from 'vitest';
import { readPem } from '../../../../src/pki/lint/pem-blocks.ts';

const certificate = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----';

function labelsOf(text: string): string[] {
  return readPem(text).blocks.map(({ label }) => label);
}

describe('readPem', () => {
  it('reads each block with its own text, whatever is between them', () => {
    const { blocks, problems } = readPem(`first\r\n${certificate}\nbetween: them\n${certificate}`);

    expect(problems).toEqual([]);
    expect(blocks).toEqual([
      { label: 'CERTIFICATE', content: Buffer.alloc(3), text: `${certificate}\n`, hasHeaders: false },
      { label: 'CERTIFICATE', content: Buffer.alloc(3), text: `${certificate}\n`, hasHeaders: false },
    ]);
  });

  it('knows headers from content', () => {
    const { blocks } = readPem('-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END X-----');

    expect(blocks.map(({ content, hasHeaders }) => [content.length, hasHeaders])).toEqual([[3, true]]);
  });

  it.each([
    ['too few characters', 'AAA'],
    ['too many', 'AAAAA'],
    ['padding in the middle', 'AA=A'],
    ['other characters', 'AA-A'],
    ['nothing', ''],
  ])('does not take %s for base64', (_name, content) => {
    const text = `-----BEGIN X-----\n${content}\n-----END X-----\n`;

    expect(readPem(text)).toEqual({
      ...{ blocks: [], problems: ['what is in the block of line 1 is not base64'] },
    });
  });

  it('goes on behind a block that is broken, as Go does', () => {
    expect(labelsOf(`-----BEGIN X-----\nAAAA\n${certificate}`)).toEqual(['CERTIFICATE']);
    expect(labelsOf(`${certificate}${certificate}\n${certificate}`)).toEqual(['CERTIFICATE']);
    expect(labelsOf(`-----BEGIN X-----\n?\n-----END X-----\n${certificate}`)).toEqual(['CERTIFICATE']);
  });
});
