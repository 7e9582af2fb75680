/** One block of a PEM text. */
export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY`. */
  readonly label: string;
  readonly content: Buffer;
  /** Its own text, with a line break at the end. */
  readonly text: string;
  /** Whether lines such as `Proc-Type: 4,ENCRYPTED` stand before its content. */
  readonly hasHeaders: boolean;
}

/** Blocks of a PEM text, and what in it is none although it was meant to be. */
export interface PemText {
  readonly blocks: readonly PemBlock[];
  /** Clauses with the number of their line; they repeat nothing of the text. */
  readonly problems: readonly string[];
}

const beginLine = /^-----BEGIN ([A-Z0-9 ]{1,40})-----$/;
const endLine = /^-----END ([A-Z0-9 ]{1,40})-----$/;
const boundary = /-----(BEGIN|END) /;
const header = /^[A-Za-z-]+: /;
const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

interface OpenBlock {
  readonly label: string;
  readonly line: number;
  readonly lines: string[];
}

/**
 * Reads a PEM text as Go does (`encoding/pem`), but says what Go leaves out in silence. Text between blocks is allowed.
 * Takes time in proportion to the text.
 */
export function readPem(text: string): PemText {
  const blocks: PemBlock[] = [];
  const problems: string[] = [];
  let open: OpenBlock | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trimEnd();
    const begin = beginLine.exec(line)?.[1];
    const end = endLine.exec(line)?.[1];
    if (begin !== undefined) {
      if (open !== undefined) problems.push(`the block that begins in line ${open.line} has no end`);
      open = { label: begin, line: index + 1, lines: [] };
    } else if (open !== undefined && end === open.label) {
      const block = closed(open);
      if (block === undefined) problems.push(`what is in the block of line ${open.line} is not base64`);
      else blocks.push(block);
      open = undefined;
    } else if (boundary.test(line)) {
      problems.push(`line ${index + 1} has a BEGIN or END that does not fit or is not alone in its line`);
      open = undefined;
    } else {
      open?.lines.push(line);
    }
  }
  if (open !== undefined) problems.push(`the block that begins in line ${open.line} has no end`);
  return { blocks, problems };
}

function closed({ label, lines }: OpenBlock): PemBlock | undefined {
  const headers = lines.findIndex((line) => !header.test(line));
  const content = lines.slice(Math.max(headers, 0)).join('').replace(/\s/g, '');
  if (content === '' || content.length % 4 !== 0 || !base64.test(content)) return undefined;
  const text = [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
  return { label, content: Buffer.from(content, 'base64'), text, hasHeaders: headers > 0 };
}
