import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { convertScenario, convertScenarioNames, convertScenarios, presetLines } from './convert-scenario.ts';
import { injectScenario, injectScenarioNames, injectScenarios } from './inject-scenario.ts';
import { minorDifferences, olderMinorsOf } from './minor-differences.ts';
import { renderScenario, renderScenarios, scenarioNames } from './render-scenario.ts';

/** Rewrites every golden file from what is rendered, injected and converted today: the only writer. Review the difference like code. */
for (const name of await scenarioNames()) {
  await writeFile(join(renderScenarios, name, 'expected.yaml'), await renderScenario(name));
  process.stdout.write(`test/golden/render/${name}/expected.yaml\n`);
  for (const minor of await olderMinorsOf(name)) {
    await writeFile(join(renderScenarios, name, `${minor}.txt`), await minorDifferences(name, minor));
    process.stdout.write(`test/golden/render/${name}/${minor}.txt\n`);
  }
}
for (const name of await injectScenarioNames()) {
  await writeFile(join(injectScenarios, name, 'expected.yaml'), await injectScenario(name));
  process.stdout.write(`test/golden/inject/${name}/expected.yaml\n`);
}
for (const name of await convertScenarioNames()) {
  const { stdout, stderr } = await convertScenario(name);
  await writeFile(join(convertScenarios, name, 'mesh.yaml'), stdout);
  await writeFile(join(convertScenarios, name, 'lost.txt'), stderr);
  await writeFile(join(convertScenarios, name, 'preset.txt'), await presetLines(name));
  process.stdout.write(`test/golden/convert/${name}/{mesh.yaml,lost.txt,preset.txt}\n`);
}
