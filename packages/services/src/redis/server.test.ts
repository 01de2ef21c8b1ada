import { expect, test } from "vitest";
import { startRedis, startRedisCluster, startRedisSentinel } from "../index.ts";
import { describeWithRedis, describeWithRedisTls } from "../vitest/shared-postgres.ts";

describeWithRedis("a Redis of one's own", () => {
  test("keeps its port over a crash, and nothing else", async () => {
    const server = await startRedis();
    try {
      await server.command("SET", "a", "1");
      expect(await server.command("GET", "a")).toBe("1");
      await server.kill();
      await expect(server.command("PING")).rejects.toThrow();
      await server.start();
      expect(await server.command("GET", "a")).toBeNull();
    } finally {
      await server.remove();
    }
  });

  test("stands still while paused and ends all the same", async () => {
    const server = await startRedis();
    server.pause();
    await server.remove();
    await expect(server.command("PING")).rejects.toThrow();
  });

  test("knows the users it was given", async () => {
    const server = await startRedis({ aclUsers: { app: "on >secret ~a:* &* +get" } });
    try {
      expect(await server.command("ACL", "LIST")).toContainEqual(
        expect.stringContaining("user app"),
      );
    } finally {
      await server.remove();
    }
  });

  test("a cluster gives a dead master's slots to its replica", async () => {
    const cluster = await startRedisCluster();
    try {
      const master = await cluster.masterOf("a");
      const heir = await cluster.failOver(master);
      expect((await cluster.masterOf("a")).port).toBe(heir.port);
      expect(await heir.command("SET", "a", "1")).toBe("OK");
    } finally {
      await cluster.remove();
    }
  });

  test("sentinels name another master", async () => {
    const sentinel = await startRedisSentinel();
    try {
      const old = await sentinel.master();
      const next = await sentinel.failOver();
      expect(next.port).not.toBe(old.port);
      expect(await next.command("SET", "a", "1")).toBe("OK");
    } finally {
      await sentinel.remove();
    }
  });
});

describeWithRedisTls("a Redis that speaks TLS", () => {
  test("answers over TLS", async () => {
    const server = await startRedis({ tls: true, settings: { requirepass: "secret" } });
    try {
      expect(server.url.startsWith("rediss://:secret@")).toBe(true);
      expect(await server.command("PING")).toBe("PONG");
    } finally {
      await server.remove();
    }
  });
});
