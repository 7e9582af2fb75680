import type { KubernetesObject } from '../api/kubernetes-object.ts';
import { isRecord } from '../base/stable-json.ts';
import { errorOfAnswer } from './errors.ts';

/** One line of a watch. A BOOKMARK's object carries `metadata.resourceVersion` and nothing else. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: KubernetesObject;
}

/** The parsed event of one line of a watch; throws the error class of a `Status` that the server sent instead. */
export function parseWatchLine(action: string, line: string): WatchEvent {
  const event: unknown = JSON.parse(line);
  if (!isRecord(event) || !isRecord(event.object)) throw new SyntaxError('watch line is no event');
  if (event.type === 'ERROR') {
    const code = typeof event.object.code === 'number' ? event.object.code : 500;
    throw errorOfAnswer(action, { code, status: event.object, text: '', retryAfterMs: undefined });
  }
  return event as unknown as WatchEvent;
}

/** Cuts a stream of bytes into lines of text; a last line without its end is dropped, since it was cut off. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const newline = 0x0a;
  let parts: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      parts.push(chunk.subarray(from, end));
      const line = Buffer.concat(parts).toString('utf8');
      parts = [];
      from = end + 1;
      if (line !== '') yield line;
    }
    if (from < chunk.length) parts.push(chunk.subarray(from));
  }
}
