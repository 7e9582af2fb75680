import { structuredPatch } from 'diff';
import { stableJson } from '../base/stable-json.ts';
import type { MeshDiff } from './diff-mesh.ts';
import type { FieldChange, ObjectChange } from './object-change.ts';
import type { Paint, Style } from './paint.ts';

const marks: Readonly<Record<ObjectChange['action'], { readonly mark: string; readonly style: Style }>> = {
  create: { mark: '+', style: 'good' },
  change: { mark: '~', style: 'doubtful' },
  prune: { mark: '-', style: 'bad' },
  refuse: { mark: '!', style: 'bad' },
  leave: { mark: '=', style: 'faint' },
};

/** A value is written in full up to this length. */
const maxLength = 120;

/** What would come of one MeshOperator, for a person. */
export function diffText({ namespace, name, changes, restarts, notes }: MeshDiff, paint: Paint): string {
  const count = changes.length === 1 ? '1 object' : `${changes.length} objects`;
  const lines = [
    paint(
      'heading',
      `${namespace}/${name}: ${changes.length === 0 ? 'no difference' : `${count} would differ`}`,
    ),
    ...notes.map((note) => `  ${note}`),
    ...changes.flatMap((change) => changeLines(change, paint)),
    ...(restarts.length === 0 ? [] : [`  Pods made anew: ${restarts.join(', ')}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function changeLines({ object, action, fields = [], why }: ObjectChange, paint: Paint): string[] {
  const { mark, style } = marks[action];
  const says = { refuse: 'would be refused: ', leave: 'is left as it is: ' } as const;
  const reason = action === 'refuse' || action === 'leave' ? ` ${says[action]}${why}` : '';
  const ownership = action === 'change' && fields.length === 0 ? ' (ownership of fields alone)' : '';
  return [
    `  ${paint(style, `${mark} ${object}`)}${reason}${ownership}`,
    ...fields.flatMap((field) => fieldLines(field, paint)),
  ];
}

/** What becomes of one field, in one line or several. */
export function fieldLines({ path, from, to, manager }: FieldChange, paint: Paint): string[] {
  const whose = manager === undefined ? '' : ` (of ${manager})`;
  const [before, after] = [textOf(from), textOf(to)];
  if (before !== undefined && after !== undefined) {
    if (before.includes('\n') || after.includes('\n')) {
      return [`      ${paint('doubtful', '~')} ${path}${whose}:`, ...textLines(before, after, paint)];
    }
    return [`      ${paint('doubtful', '~')} ${path}: ${shortened(before)} -> ${shortened(after)}${whose}`];
  }
  if (after !== undefined) return [`      ${paint('good', '+')} ${path}: ${shortened(after)}${whose}`];
  if (before !== undefined) return [`      ${paint('bad', '-')} ${path}: ${shortened(before)}${whose}`];
  return [`      ${paint('doubtful', '~')} ${path}: not shown${whose}`];
}

/** The lines that differ, with one line around them. */
function textLines(before: string, after: string, paint: Paint): string[] {
  const { hunks } = structuredPatch('', '', before, after, undefined, undefined, { context: 1 });
  const styles: Readonly<Record<string, Style>> = { '+': 'good', '-': 'bad' };
  return hunks
    .flatMap(({ lines }) => lines)
    .filter((line) => !line.startsWith('\\'))
    .map((line) => `          ${paint(styles[line[0] ?? ''] ?? 'faint', shortened(line))}`);
}

/** A long object, or text that holds one as JSON, over several lines; anything else on one. */
function textOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const parsed = typeof value === 'string' ? parsedObject(value) : value;
  if (parsed === undefined) return String(value);
  if (typeof parsed === 'string') return parsed;
  // The order of keys says nothing, so it must not make a difference.
  const line = stableJson(parsed);
  return line.length <= maxLength ? line : JSON.stringify(JSON.parse(line), null, 2);
}

function parsedObject(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // It is no JSON, and shown as the text that it is.
  }
}

function shortened(text: string): string {
  const line = text.includes('\n') ? text.replace(/\s*\n\s*/g, ' ') : text;
  return line.length <= maxLength ? line : `${line.slice(0, maxLength)}… (${line.length} characters)`;
}
