import type { Command } from "commander";
import { UnifiedMemoryManager, loadConfig } from "@cherry-ai/memory";
import type { EnvironmentVariables } from "@cherry-ai/memory";
import { print, printJson } from "./output.ts";

const EXAMPLES = `
Examples:
  $ cherry-memory migrate
  $ DATABASE_URL=postgres://cherry@db:5432/cherry cherry-memory migrate --json

Servers migrate at their start too; this is for doing it before they do. Several may run at once.
`;

export function addMigrate(program: Command, env: EnvironmentVariables): void {
  program
    .command("migrate")
    .description("bring the storage's tables to this version")
    .option("--json", "answer as JSON", false)
    .addHelpText("after", EXAMPLES)
    .action(async (options: { readonly json: boolean }) => {
      const config = loadConfig(env);
      const store = config.tiers.L3.url === undefined ? config.dataDir : "DATABASE_URL";
      // Opening the memory migrates, under the lock that servers use as well.
      const memory = new UnifiedMemoryManager({
        ...config,
        optimization: { ...config.optimization, enabled: false },
      });
      await memory.initialize();
      await memory.close();
      if (options.json) printJson({ store, schema: config.tiers.L3.schema, upToDate: true });
      else print(`the tables in ${store} are up to date`);
    });
}
