import { postgresAvailable, startPostgres } from "@cherry-ai/services";
import type { PostgresServer } from "@cherry-ai/services";
import { describeMachine } from "./machine.ts";
import { unmeasured } from "./result.ts";
import type { Report, Result } from "./result.ts";
import type { Context, Suite } from "./suite.ts";

export interface RunOptions {
  /** Names of cases; empty = all. */
  readonly only: readonly string[];
  readonly progress: (text: string) => void;
}

/** Runs the cases one after another. One that fails is a missed goal, not the end of the run. */
export async function runSuite(suite: Suite, options: RunOptions): Promise<Report> {
  const cases = suite.cases.filter(
    ({ name }) => options.only.length === 0 || options.only.includes(name),
  );
  const servers = new SharedPostgres();
  const context: Context = {
    database: (name) => servers.database(name),
    databaseMissing: postgresAvailable(),
    progress: options.progress,
  };
  const results: Result[] = [];
  try {
    for (const [index, one] of cases.entries()) {
      options.progress(`${index + 1}/${cases.length} ${one.name}: ${one.about}`);
      try {
        results.push(...(await one.run(context)));
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        options.progress(error instanceof Error ? (error.stack ?? why) : why);
        results.push(unmeasured(one.name, why.split("\n")[0] ?? why));
      }
    }
  } finally {
    await servers.stop();
  }
  return {
    suite: suite.name,
    machine: describeMachine(),
    node: process.versions.node,
    date: new Date().toISOString().slice(0, 10),
    results,
  };
}

/** Started when the first case asks for it. */
class SharedPostgres {
  #server: Promise<PostgresServer> | undefined;

  async database(name: string): Promise<string> {
    this.#server ??= startPostgres();
    return (await this.#server).databaseUrl(name);
  }

  async stop(): Promise<void> {
    await (await this.#server)?.remove();
  }
}
