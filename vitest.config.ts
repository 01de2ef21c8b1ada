import { defineConfig } from "vitest/config";

// The workspace's packages export their sources under this condition: no build before a test.
const conditions = ["@cherry-ai/source", "module", "node", "development|production"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: [
      "packages/*/src/**/*.test.ts",
      "packages/*/test/**/*.test.ts",
      "scripts/**/*.test.ts",
      "examples/**/*.test.ts",
    ],
    globalSetup: ["packages/services/src/vitest/global-setup.ts"],
    // Against tests that hang, not slow ones: most take milliseconds, those that start or crash
    // servers take seconds, and a busy machine takes ten times as long for either.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
    maxWorkers: 2,
  },
});
