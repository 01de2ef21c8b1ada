import { randomUUID } from "node:crypto";
import { startPostgres, startProxy, startRedis } from "@cherry-ai/services";
import type { PostgresServer, Proxy, RedisServer } from "@cherry-ai/services";
import type { Value } from "./servers/protocol.ts";
import { ServerProcess } from "./servers/server-process.ts";

export interface StageOptions {
  /** One that others use too: with a database of its own, and left running. */
  readonly postgres: PostgresServer | undefined;
  readonly subject: string;
  readonly servers: number;
  readonly withRedis: boolean;
  readonly boundMs: number;
  readonly broken: string | undefined;
  /** Wall clocks of the servers, each by so much. */
  readonly clockOffsetsMs: readonly number[];
  /** What must be done to the database once the first server has made its tables. */
  readonly prepareDatabase?: ((url: string) => Promise<void>) | undefined;
  /** What else a server's connections say, by how much its clock is off. */
  readonly databaseUrlOf?: ((url: string, clockOffsetMs: number) => string) | undefined;
  readonly load: (namespace: string, key: string) => Promise<Value>;
}

/** Everything of a run: the servers and what they stand on, each reached through a proxy of its own. */
export class Stage {
  readonly servers: readonly ServerProcess[];
  readonly postgres: PostgresServer;
  readonly ownsPostgres: boolean;
  readonly databaseUrl: string;
  redis: RedisServer | undefined;
  readonly databaseProxies: readonly Proxy[];
  readonly redisProxies: readonly Proxy[];

  private constructor(
    parts: Pick<
      Stage,
      | "servers"
      | "postgres"
      | "ownsPostgres"
      | "databaseUrl"
      | "redis"
      | "databaseProxies"
      | "redisProxies"
    >,
  ) {
    this.servers = parts.servers;
    this.postgres = parts.postgres;
    this.ownsPostgres = parts.ownsPostgres;
    this.databaseUrl = parts.databaseUrl;
    this.redis = parts.redis;
    this.databaseProxies = parts.databaseProxies;
    this.redisProxies = parts.redisProxies;
  }

  static async open(options: StageOptions): Promise<Stage> {
    const postgres = options.postgres ?? (await startPostgres());
    const databaseUrl = await postgres.databaseUrl(`torture_${randomUUID()}`);
    const redis = options.withRedis ? await startRedis() : undefined;
    const indexes = Array.from({ length: options.servers }, (_, index) => index);
    const proxies = (target: number): Promise<Proxy[]> =>
      Promise.all(indexes.map(() => startProxy({ target })));
    const databaseProxies = await proxies(postgres.port);
    const redisProxies = redis === undefined ? [] : await proxies(redis.port);
    const databaseUrlOf = (index: number): string => {
      const url = databaseProxies[index]?.through(databaseUrl) ?? databaseUrl;
      return options.databaseUrlOf?.(url, options.clockOffsetsMs[index] ?? 0) ?? url;
    };
    const servers = indexes.map(
      (index) =>
        new ServerProcess(index, {
          name: `s${index}`,
          load: options.load,
          assignment: () => ({
            subject: options.subject,
            databaseUrl: databaseUrlOf(index),
            redisUrl: redis && redisProxies[index]?.through(redis.url),
            boundMs: options.boundMs,
            servers: options.servers,
            clockOffsetMs: options.clockOffsetsMs[index] ?? 0,
            broken: options.broken,
          }),
        }),
    );
    const stage = new Stage({
      servers,
      postgres,
      ownsPostgres: options.postgres === undefined,
      databaseUrl,
      redis,
      databaseProxies,
      redisProxies,
    });
    try {
      // The first one makes the tables, alone.
      await servers[0]?.start();
      await options.prepareDatabase?.(databaseUrl);
      await Promise.all(servers.slice(1).map((server) => server.start()));
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  /** Servers that workers may ask. */
  get present(): readonly ServerProcess[] {
    return this.servers.filter(({ isAway }) => !isAway);
  }

  /** Ends every fault that may still be in force. */
  async calm(): Promise<void> {
    for (const proxy of [...this.databaseProxies, ...this.redisProxies]) {
      proxy.delay = undefined;
      proxy.onData = undefined;
      proxy.resume();
    }
    this.redis?.resume();
    await this.redis?.start();
    await this.postgres.start();
    for (const server of this.servers) {
      server.resume();
      server.isAway = false;
      if (server.isDown) await server.start();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.close()));
    await Promise.all([...this.databaseProxies, ...this.redisProxies].map((one) => one.close()));
    await this.redis?.remove();
    if (this.ownsPostgres) await this.postgres.remove();
  }
}
