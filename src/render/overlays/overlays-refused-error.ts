import { type Problem, problemText } from '../../api/problem.ts';
import { TerminalError } from '../../base/errors.ts';

/** Overlays that name no object or no place, or change what they must not. */
export class OverlaysRefusedError extends TerminalError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(problemText).join('; '), { reason: 'InvalidSpec' });
    this.problems = problems;
  }
}
