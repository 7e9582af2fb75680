/** One step into an object: a field, or an item of a list by its merge keys or its index. */
export type PathStep =
  | { readonly field: string }
  | { readonly item: Readonly<Record<string, unknown>>; readonly index: number }
  | { readonly index: number };

/** A place in an object. Immutable; `child` makes a longer one. */
export class FieldPath {
  static readonly root = new FieldPath([]);
  readonly steps: readonly PathStep[];

  private constructor(steps: readonly PathStep[]) {
    this.steps = steps;
  }

  child(step: PathStep): FieldPath {
    return new FieldPath([...this.steps, step]);
  }

  /** `spec.containers[name=a].ports[0]`; a field name with other than word characters is quoted: `data["a.b"]`. */
  get text(): string {
    let text = '';
    for (const step of this.steps) {
      if (!('field' in step)) text += `[${'item' in step ? itemText(step.item) : step.index}]`;
      else if (/^[\w-]+$/.test(step.field)) text += text === '' ? step.field : `.${step.field}`;
      else text += `[${JSON.stringify(step.field)}]`;
    }
    return text;
  }

  /** JSON pointer (RFC 6901); list items by index. */
  get pointer(): string {
    return this.steps
      .map(
        (step) => `/${'field' in step ? step.field.replaceAll('~', '~0').replaceAll('/', '~1') : step.index}`,
      )
      .join('');
  }
}

function itemText(item: Readonly<Record<string, unknown>>): string {
  return Object.entries(item)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
