import type { ObjectKey } from '../../api/kubernetes-object.ts';
import { messageOf, TerminalError } from '../../base/errors.ts';

/** A gateway whose pod cannot be made of the annotations that its settings give it. */
export class GatewayRefusedError extends TerminalError {
  readonly gateway: ObjectKey;

  constructor(gateway: ObjectKey, cause: TerminalError) {
    super(`Gateway ${gateway.namespace}/${gateway.name}: ${messageOf(cause)}`, {
      reason: 'InvalidSpec',
      cause,
    });
    this.gateway = gateway;
  }
}
