import { connect } from "node:net";
import { systemClock } from "@cherry-ai/memory";
import type { MemoryManager } from "@cherry-ai/memory";
import { beforeAll, expect, test } from "vitest";
import { freshNamespace, itemPath, sharedMemory, startServer } from "./server.ts";

beforeAll(sharedMemory);

/** The shared memory with some of its members replaced. */
function instead(
  memory: MemoryManager,
  members: { readonly [name: string]: unknown },
): MemoryManager {
  return new Proxy(memory, {
    get: (target, name) => {
      if (typeof name === "string" && Object.hasOwn(members, name)) return members[name];
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

test("under load nothing acknowledged is lost, and the memory closes after the last request", async () => {
  const memory = await sharedMemory();
  const events: string[] = [];
  const watched = instead(memory, {
    close: () => {
      events.push("closed");
      return Promise.resolve();
    },
  });
  const { call, server } = await startServer({ memory: watched });
  const ns = freshNamespace();
  const acknowledged: string[] = [];
  let going = true;
  const writers = Array.from({ length: 8 }, async (_, w) => {
    for (let i = 0; going; i += 1)
      try {
        const key = `${w}:${i}`;
        if ((await call("PUT", itemPath(ns, key), { value: i })).status !== 200) return;
        acknowledged.push(key);
        events.push("acknowledged");
      } catch {
        return;
      }
  });
  await expect.poll(() => acknowledged.length, { timeout: 10_000 }).toBeGreaterThan(50);
  const report = await server.drain({ noticeMs: 0, requestsMs: 10_000, closeMs: 1_000 });
  going = false;
  await Promise.all(writers);
  expect(report).toEqual({ cut: 0, closed: true });
  // An answer that was sent before the close may be noticed just after it, but no request began.
  expect(server.state.inFlight).toBe(0);
  const values = await memory.namespace(ns).getMany(acknowledged.slice(0, 1000));
  expect(values.filter((value) => value === undefined)).toEqual([]);
  await expect(call("GET", "/livez")).rejects.toThrow();
});

test("readiness fails first, while requests are still served and connections not kept", async () => {
  // The notice is as long as what is asked meanwhile, however busy the machine is.
  const notice = { ms: 600_000, over: Promise.withResolvers<void>() };
  const clock = {
    ...systemClock,
    sleep: (delayMs: number, signal?: AbortSignal): Promise<void> =>
      delayMs === notice.ms ? notice.over.promise : systemClock.sleep(delayMs, signal),
  };
  const { call, server } = await startServer({ clock });
  const draining = server.drain({ noticeMs: notice.ms, requestsMs: 1_000, closeMs: 1_000 });
  const ready = await call("GET", "/readyz");
  expect([ready.status, ready.json?.["status"]]).toEqual([503, "draining"]);
  expect(ready.headers.get("connection")).toBe("close");
  const path = itemPath(freshNamespace(), "k");
  expect((await call("PUT", path, { value: 1 })).status).toBe(200);
  expect((await call("GET", "/livez")).status).toBe(200);
  notice.over.resolve();
  await draining;
});

test("an idle kept connection does not hold up the drain", async () => {
  const { server } = await startServer();
  const socket = connect(server.port, "127.0.0.1");
  const closed = new Promise<void>((resolve) => {
    socket.on("close", () => resolve());
  });
  socket.write("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await new Promise<void>((resolve) => {
    socket.once("data", () => resolve());
  });
  const report = await server.drain({ noticeMs: 0, requestsMs: 20_000, closeMs: 1_000 });
  await closed;
  expect(report).toEqual({ cut: 0, closed: true });
});

test("a connection that was opened ahead and never used does not hold it up either", async () => {
  const { server } = await startServer();
  const socket = connect(server.port, "127.0.0.1");
  const closed = new Promise<void>((resolve) => {
    socket.on("close", () => resolve());
  });
  await new Promise<void>((resolve) => {
    socket.on("connect", () => resolve());
  });
  // Longer than this test may take.
  const report = await server.drain({ noticeMs: 0, requestsMs: 600_000, closeMs: 1_000 });
  await closed;
  expect(report).toEqual({ cut: 0, closed: true });
});

test("a request that never ends is cut, and a memory that never closes is left", async () => {
  const memory = await sharedMemory();
  const never = (): Promise<never> => new Promise<never>(() => {});
  const stuck = instead(memory, { getRaw: never, close: never });
  const { call, server } = await startServer({ memory: stuck });
  const answer = call("GET", itemPath("a", "k"));
  const outcome = expect(answer).rejects.toThrow();
  await expect.poll(() => server.state.inFlight).toBe(1);
  const report = await server.drain({ noticeMs: 0, requestsMs: 100, closeMs: 100 });
  expect(report).toEqual({ cut: 1, closed: false });
  await outcome;
});

test("draining twice drains once", async () => {
  const { server } = await startServer();
  const bounds = { noticeMs: 0, requestsMs: 1_000, closeMs: 1_000 };
  expect(server.drain(bounds)).toBe(server.drain(bounds));
  await server.drain(bounds);
});
