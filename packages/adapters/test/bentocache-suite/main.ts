import { assert } from "@japa/assert";
import { configure, processCLIArgs, run } from "@japa/runner";
import type { NamedReporterContract } from "@japa/runner/types";

/**
 * Runs bentocache's suite on the runner that it was made for, and prints the outcome as one line of
 * JSON. Its argument is a database's URL; without one the memory is embedded.
 */
const passed: string[] = [];
const failed: { readonly title: string; readonly why: readonly string[] }[] = [];

const reporter: NamedReporterContract = {
  name: "outcome",
  handler: (_runner, emitter) => {
    emitter.on("test:end", ({ title, hasError, errors }) => {
      if (hasError)
        failed.push({ title: title.expanded, why: errors.map(({ error }) => String(error)) });
      else passed.push(title.expanded);
    });
    for (const event of ["group:end", "suite:end", "runner:end"] as const)
      emitter.on(event, ({ hasError, errors }: { hasError: boolean; errors?: unknown[] }) => {
        if (hasError && errors !== undefined && errors.length > 0)
          failed.push({ title: event, why: errors.map(String) });
      });
    emitter.on("runner:end", () => {
      process.stdout.write(`${JSON.stringify({ passed, failed })}\n`);
    });
  },
};

processCLIArgs([]);
configure({
  files: () => [new URL("cases.ts", import.meta.url)],
  plugins: [assert()],
  reporters: { activated: ["outcome"], list: [reporter] },
});
await run();
