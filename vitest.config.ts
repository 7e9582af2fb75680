import { defineConfig } from 'vitest/config';

/** What becomes of a mesh: a line of its own, since together they take as long as all others. */
const changes = ['adoption', 'argo-cd', 'trust', 'upgrade'].map((name) => `test/e2e/${name}/**/*.test.ts`);

export default defineConfig({
  test: {
    projects: [
      // The bounds are for tests that hang: none judges how fast the machine is.
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'golden',
          include: ['test/golden/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      // Files of one project share a cluster, so they run one after the other; the projects run side by side.
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: ['test/integration/mesh/**', 'test/integration/mesh-under-faults/**'],
          globalSetup: ['test/support/shared-cluster-setup.ts'],
          testTimeout: 240_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'integration-mesh',
          include: ['test/integration/mesh/**/*.test.ts'],
          globalSetup: ['test/support/shared-cluster-setup.ts'],
          testTimeout: 240_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'integration-faults',
          include: ['test/integration/mesh-under-faults/**/*.test.ts'],
          globalSetup: ['test/support/shared-cluster-setup.ts'],
          testTimeout: 240_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: changes,
          globalSetup: ['test/support/shared-cluster-setup.ts'],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'e2e-changes',
          include: changes,
          globalSetup: ['test/support/shared-cluster-setup.ts'],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
