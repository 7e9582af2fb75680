import { join } from 'node:path';
import { run } from '../cluster/toolchain/run-command.ts';

/** What a TLS client has in hand: the roots it trusts, and what the server shows, its own certificate first. */
export interface ShownChain {
  readonly roots: string;
  readonly shown: string;
  readonly dnsName: string;
}

/** What Go's crypto/x509 says of each chain; an empty text when it verifies. Needs `go` on the PATH. */
export async function verifyWithGo(chains: readonly ShownChain[]): Promise<string[]> {
  const program = join(import.meta.dirname, 'verify-chains/main.go');
  const env = { GOTOOLCHAIN: 'local', GO111MODULE: 'off' };
  return JSON.parse(await run('go', ['run', program], { env, input: JSON.stringify(chains) })) as string[];
}
