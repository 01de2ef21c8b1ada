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
    ],
    globalSetup: ["packages/services/src/vitest/global-setup.ts"],
    // Most tests take milliseconds; those that start servers or crash them take seconds.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    maxWorkers: 2,
  },
});
