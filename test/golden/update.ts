import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { injectScenario, injectScenarioNames, injectScenarios } from './inject-scenario.ts';
import { renderScenario, renderScenarios, scenarioNames } from './render-scenario.ts';

/** Rewrites every golden file from what is rendered and injected today: the only writer. Review the difference like code. */
for (const name of await scenarioNames()) {
  await writeFile(join(renderScenarios, name, 'expected.yaml'), await renderScenario(name));
  process.stdout.write(`test/golden/render/${name}/expected.yaml\n`);
}
for (const name of await injectScenarioNames()) {
  await writeFile(join(injectScenarios, name, 'expected.yaml'), await injectScenario(name));
  process.stdout.write(`test/golden/inject/${name}/expected.yaml\n`);
}
