/** Interim: replaced by the toolchain's ensureTool. */
export async function ensureTool(name: string): Promise<string> {
  if (name === 'envoy') return '/tmp/npbuild/envoy/envoy/_bin/envoy';
  return `/tmp/warmbin/${name}`;
}
