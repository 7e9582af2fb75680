import { TerminalError } from '../base/errors.ts';

/** The pod asks for something that cannot be: it must be refused, with this message for its author. */
export class PodRejectedError extends TerminalError {
  constructor(message: string) {
    super(message, { reason: 'PodRejected' });
  }
}
