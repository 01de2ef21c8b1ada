import { postgresAvailable, redisAvailable, startPostgres, startRedis } from "@cherry-ai/services";
import type { PostgresServer, RedisServer } from "@cherry-ai/services";
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
  const servers = new SharedServers();
  const context: Context = {
    database: (name) => servers.database(name),
    databaseMissing: postgresAvailable(),
    redis: () => servers.redis(),
    redisMissing: redisAvailable(),
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

/** Each is started when the first case asks for it. */
class SharedServers {
  #postgres: Promise<PostgresServer> | undefined;
  #redis: Promise<RedisServer> | undefined;

  async database(name: string): Promise<string> {
    this.#postgres ??= startPostgres();
    return (await this.#postgres).databaseUrl(name);
  }

  async redis(): Promise<string> {
    this.#redis ??= startRedis();
    const server = await this.#redis;
    await server.command("FLUSHALL");
    return server.url;
  }

  async stop(): Promise<void> {
    await (await this.#postgres)?.remove();
    await (await this.#redis)?.remove();
  }
}
