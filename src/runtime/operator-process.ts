import operatorModule from '@dot-i/k8s-operator';
import type { Logger } from '../observability/logger.ts';
import type { Manager } from './manager.ts';

/** The package is CommonJS: Node and esbuild hand out its exports, other loaders their `default` at once. */
const Operator = operatorModule.default ?? (operatorModule as unknown as typeof operatorModule.default);

export interface OperatorProcessDeps {
  readonly manager: Manager;
  readonly log: Logger;
}

/**
 * The process as `@dot-i/k8s-operator` sees it: `start` runs `init`, `stop` ends it (ADR 0002).
 * This is the only place that knows the package. Of its base class nothing but this life cycle and the logger is used:
 * every method that would talk to an API server throws, because ours do it (`KubeClient`, `Informer`, `Controller`).
 */
export class OperatorProcess extends Operator {
  readonly #manager: Manager;
  readonly #log: Logger;
  readonly #stopping = new AbortController();
  #ended: Promise<void> | undefined;

  /** Reads the kubeconfig named by the environment, as the base class does on its own, and uses nothing of it. */
  constructor(deps: OperatorProcessDeps) {
    super(baseLogger(deps.log));
    this.#manager = deps.manager;
    this.#log = deps.log;
  }

  /** Starts, and resolves when the process has stopped; rejects when it cannot start or cannot stop in time. */
  async run(): Promise<void> {
    await this.start();
    await this.#ended;
  }

  /** Ends `run`: hands over the lease and lets passes under way abort. Calling it again does nothing. */
  override stop(): void {
    if (this.#stopping.signal.aborted) return;
    this.#log.info('Stopping');
    super.stop();
    this.#stopping.abort(new Error('the operator stops'));
  }

  protected override async init(): Promise<void> {
    this.#ended = this.#manager.run(this.#stopping.signal);
    // `run` waits for it; this only keeps a failure in the meantime from counting as unhandled.
    this.#ended.catch(() => undefined);
  }

  protected override registerCustomResourceDefinition(): never {
    return refuse(
      'registerCustomResourceDefinition',
      'CRDs are installed by the chart and by the mesh controller',
    );
  }

  protected override getCustomResourceApiUri(): never {
    return refuse('getCustomResourceApiUri', 'use resourcePath');
  }

  protected override watchResource(): never {
    return refuse('watchResource', 'use Informer');
  }

  protected override setResourceStatus(): never {
    return refuse('setResourceStatus', 'use KubeClient.apply with subresource status');
  }

  protected override patchResourceStatus(): never {
    return refuse('patchResourceStatus', 'use KubeClient.apply with subresource status');
  }

  protected override handleResourceFinalizer(): never {
    return refuse('handleResourceFinalizer', 'use KubeClient.patch with a resourceVersion');
  }

  protected override setResourceFinalizers(): never {
    return refuse('setResourceFinalizers', 'use KubeClient.patch with a resourceVersion');
  }

  protected override applyAxiosKubeConfigAuth(): never {
    return refuse('applyAxiosKubeConfigAuth', 'use ApiConnection');
  }

  protected override applyGaxiosKubeConfigAuth(): never {
    return refuse('applyGaxiosKubeConfigAuth', 'use ApiConnection');
  }
}

function refuse(method: string, instead: string): never {
  throw new Error(`Operator.${method} is not used here (ADR 0002): ${instead}`);
}

function baseLogger(log: Logger) {
  return {
    debug: (message: string) => log.debug('Base class', { detail: message }),
    info: (message: string) => log.info('Base class', { detail: message }),
    warn: (message: string) => log.warn('Base class', { detail: message }),
    error: (message: string) => log.error('Base class', { detail: message }),
  };
}
