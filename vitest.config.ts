import { defineConfig } from 'vitest/config';

// The bounds are for tests that hang: none judges how fast the machine is.
const minute = 60_000;

/** Tests that need nothing. */
function pure(name: string) {
  return {
    test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: 5 * minute, hookTimeout: 5 * minute },
  };
}

/** Files of one project share clusters, so they run one after the other; the projects run side by side. */
function onClusters(name: string, include: string[], exclude: string[], hookTimeout: number) {
  const globalSetup = ['test/support/shared-cluster-setup.ts'];
  const testTimeout = 5 * minute;
  return { test: { name, include, exclude, globalSetup, testTimeout, hookTimeout, fileParallelism: false } };
}

const integration = (name: string, include: string[], exclude: string[] = []) =>
  onClusters(name, include, exclude, 5 * minute);
const endToEnd = (name: string, include: string[], exclude: string[] = []) =>
  onClusters(name, include, exclude, 10 * minute);
const filesOf = (...folders: readonly string[]) => folders.map((folder) => `test/${folder}/**/*.test.ts`);

const ofMeshes = filesOf('integration/mesh');
const ofFaults = filesOf('integration/mesh-under-faults');
const ofSeveral = filesOf('integration/multi-cluster');
/** What becomes of a mesh. */
const ofChanges = filesOf('e2e/adoption', 'e2e/argo-cd', 'e2e/trust', 'e2e/upgrade');
/** Whom a mesh lets in, and what it tells. */
const ofRules = filesOf('e2e/monitoring', 'e2e/security', 'e2e/telemetry', 'e2e/tenancy');
/** What takes two clusters. */
const ofClusters = filesOf('e2e/multi-cluster');

export default defineConfig({
  test: {
    projects: [
      pure('unit'),
      pure('golden'),
      integration('integration', filesOf('integration'), [...ofMeshes, ...ofFaults, ...ofSeveral]),
      integration('integration-mesh', ofMeshes),
      integration('integration-faults', ofFaults),
      integration('integration-clusters', ofSeveral),
      endToEnd('e2e', filesOf('e2e'), [...ofChanges, ...ofRules, ...ofClusters]),
      endToEnd('e2e-changes', ofChanges),
      endToEnd('e2e-rules', ofRules),
      endToEnd('e2e-clusters', ofClusters),
    ],
  },
});
