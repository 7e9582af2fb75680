/** One thing that is wrong with a MeshOperator. */
export interface Problem {
  /** `spec.components.ingressGateways[0].k8s.resources.requests.cpu`; empty for the whole document. */
  readonly path: string;
  /** What must be true, as a sentence that follows the path. */
  readonly message: string;
  /** What was probably meant: a field name or a value. */
  readonly suggestion?: string;
}

/** `path: message (did you mean "suggestion"?)`, in one line. */
export function problemText(problem: Problem): string {
  const where = problem.path === '' ? '' : `${problem.path}: `;
  const hint = problem.suggestion === undefined ? '' : ` (did you mean "${problem.suggestion}"?)`;
  return `${where}${problem.message}${hint}`;
}

/** Keys and indexes as a person writes them; a key that is not a plain word is quoted in brackets. */
export function pathText(segments: readonly PropertyKey[]): string {
  let text = '';
  for (const segment of segments) {
    if (typeof segment === 'number') text += `[${segment}]`;
    else if (/^[A-Za-z_][A-Za-z0-9_-]*$/.test(String(segment)))
      text += `${text === '' ? '' : '.'}${String(segment)}`;
    else text += `[${JSON.stringify(String(segment))}]`;
  }
  return text;
}
