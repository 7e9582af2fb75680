/**
 * Assembles images without docker or a registry and prints, for each, its reference and its archive:
 * `node test/cluster/images/main.ts [name...]`; all of them when none is named.
 */
import { ensureImage, type ImageName, imageNames } from './ensure-image.ts';

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(imageNames as string[]).includes(name));
if (unknown.length > 0) {
  process.stderr.write(`Unknown image ${unknown.join(', ')}; there are: ${imageNames.join(', ')}\n`);
  process.exit(2);
}
const names = wanted.length > 0 ? (wanted as ImageName[]) : imageNames;
for (const name of names) {
  const begin = performance.now();
  const { archive, reference, digest } = await ensureImage(name);
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  process.stdout.write(`${reference}  ${archive}  ${digest.slice(0, 19)}  ${seconds} s\n`);
}
