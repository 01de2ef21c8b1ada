#!/usr/bin/env node
// The installed command. A published package holds dist alone; in a checkout the sources run,
// so that the command can never be older than the code beside it.
import { existsSync } from "node:fs";
import * as nodeModule from "node:module";

const source = new URL("../src/cli/main.ts", import.meta.url);
const built = new URL("../dist/cli/main.js", import.meta.url);

if (existsSync(source) && process.features.typescript) {
  // The workspace's packages export their sources under this condition.
  nodeModule.registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, {
        ...context,
        conditions: [...context.conditions, "@cherry-ai/source"],
      }),
  });
  await import(source.href);
} else if (existsSync(built)) {
  await import(built.href);
} else {
  console.error(
    `cherry-memory: not built, and no sources that Node ${process.versions.node} can run: use Node 22.18 or later, or run pnpm build`,
  );
  process.exitCode = 1;
}
