import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { operatorConfig } from '../cluster/images/mesh-operator.ts';

const node = resolve(import.meta.dirname, '../../node_modules/node/bin/node');

export interface ImageProcessOptions {
  /** The bundle to run. */
  readonly bundle: string;
  /** Verb and flags. */
  readonly args: readonly string[];
  /** Where a pod says so, in the place of the image's entrypoint: Node, its flags, and the bundle in the image. */
  readonly command?: readonly string[];
  /** On top of the image's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Flags of Node beyond those of the image, such as `--cpu-prof`. */
  readonly nodeFlags?: readonly string[] | undefined;
  readonly stdio: StdioOptions;
}

/** Starts the bundle as the operator's image is started: the same Node, flags and environment. */
export function startImageProcess(options: ImageProcessOptions): ChildProcess {
  const { bundle, args, command = operatorConfig.entrypoint, env, nodeFlags = [], stdio } = options;
  return spawn(node, [...command.slice(1, -1), ...nodeFlags, bundle, ...args], {
    stdio,
    env: { ...process.env, ...operatorConfig.env, ...env },
  });
}
