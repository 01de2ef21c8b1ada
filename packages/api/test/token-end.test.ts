import { connect } from "node:net";
import { systemClock } from "@cherry-ai/memory";
import type { Clock, ExportLine, MemoryManager } from "@cherry-ai/memory";
import { SignJWT } from "jose";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { requestText } from "./raw.ts";
import { freshNamespace, nsPath, sharedMemory, startServer } from "./server.ts";

beforeAll(sharedMemory);

const SECRET = "a-secret-of-more-than-32-characters!!";
const ENV = { CHERRY_JWT_SECRET: SECRET };
const TOKEN_SECONDS = 60;
/** Past the token's end and the clocks' permitted difference. */
const PAST_END_MS = 70_000;
/** A poll that never comes, so that only the timer can end the stream. */
const NEVER_MS = 3_600_000;

interface TestClock extends Clock {
  /** Moves the wall clock; timers stand still, as while a machine sleeps. */
  pass(passedMs: number): void;
  /** Lets every timer of a token ring. */
  ring(): void;
  readonly timers: number;
}

function testClock(): TestClock {
  const startMs = Date.now();
  const waiting = new Set<() => void>();
  let passedMs = 0;
  return {
    monotonicMs: systemClock.monotonicMs,
    monotonicNs: systemClock.monotonicNs,
    wallMs: () => startMs + passedMs,
    sleep: (delayMs, signal) => {
      if (delayMs < 10_000) return systemClock.sleep(delayMs, signal);
      return new Promise((resolve, reject) => {
        const wake = (): void => {
          waiting.delete(wake);
          resolve();
        };
        if (delayMs !== NEVER_MS) waiting.add(wake);
        signal?.addEventListener("abort", () => {
          waiting.delete(wake);
          reject(signal.reason as Error);
        });
      });
    },
    pass: (ms) => {
      passedMs += ms;
    },
    ring: () => {
      for (const wake of waiting) wake();
    },
    get timers() {
      return waiting.size;
    },
  };
}

async function authorization(clock: Clock): Promise<{ readonly authorization: string }> {
  const jwt = await new SignJWT({ scope: "reader", ns: ["*"] })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject("tester")
    .setExpirationTime(Math.floor(clock.wallMs() / 1000) + TOKEN_SECONDS)
    .sign(Buffer.from(SECRET));
  return { authorization: `Bearer ${jwt}` };
}

/** The shared memory, whose exports are these lines. */
async function exporting(lines: () => AsyncGenerator<ExportLine>): Promise<MemoryManager> {
  const memory = await sharedMemory();
  return new Proxy(memory, {
    get: (target, name) => {
      if (name === "close") return () => Promise.resolve();
      if (name === "exportItems") return lines;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

/** What a body says piece by piece, and how it ended. */
class Reading {
  readonly #reader: ReadableStreamDefaultReader<string> | undefined;
  text = "";

  constructor(response: Response) {
    this.#reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Reads until the text has this, or to the body's end; rejects when the body was cut. */
  async until(wanted: string | undefined): Promise<void> {
    while (wanted === undefined || !this.text.includes(wanted)) {
      const piece = await this.#reader?.read();
      if (piece?.done !== false) return;
      this.text += piece.value;
    }
  }
}

/** More than the server gathers before it writes. */
function largeLine(key: string): ExportLine {
  return {
    ...{ namespace: "", key, value: "x".repeat(100_000), metadata: {}, tags: [], version: "1" },
    ...{ createdAt: "2026-01-01T00:00:00.000Z", updatedAt: "2026-01-01T00:00:00.000Z" },
  };
}

test("a stream ends at the first poll after its token's end, and says nothing more", async () => {
  const clock = testClock();
  const { url, call, server } = await startServer({
    ...{ env: ENV, clock, bounds: { streamPollMs: 10 } },
  });
  const ns = freshNamespace();
  const memory = (await sharedMemory()).namespace(ns);
  await memory.set("first", 1);
  const headers = await authorization(clock);
  const response = await fetch(url + nsPath(ns, "changes?after=0"), { headers });
  const reading = new Reading(response);
  await reading.until("first");
  clock.pass(PAST_END_MS);
  await memory.set("second", 2);
  await reading.until("second");
  expect(reading.text).not.toContain("second");
  expect(reading.text.endsWith("\n\n")).toBe(true);
  expect(server.state.streams).toBe(0);
  const again = await call("GET", nsPath(ns, "changes"), undefined, headers);
  expect([again.status, again.json?.["code"]]).toEqual([401, "UNAUTHENTICATED"]);
});

test("a stream that waits is ended by a timer, once its token's end has come", async () => {
  const clock = testClock();
  const { url, server } = await startServer({
    ...{ env: ENV, clock, bounds: { streamPollMs: NEVER_MS } },
  });
  const headers = await authorization(clock);
  const response = await fetch(url + nsPath(freshNamespace(), "changes"), { headers });
  const rest = response.text();
  await expect.poll(() => clock.timers).toBe(1);
  // Rung early, as when the clock was set back: the token still counts.
  clock.ring();
  await expect.poll(() => clock.timers).toBe(1);
  expect(server.state.streams).toBe(1);
  clock.pass(PAST_END_MS);
  clock.ring();
  expect(await rest).toBe(": following\n\n");
  expect([server.state.streams, clock.timers]).toEqual([0, 0]);
});

test("the timer goes with the reader", async () => {
  const clock = testClock();
  const { url } = await startServer({ env: ENV, clock, bounds: { streamPollMs: 10 } });
  const leave = new AbortController();
  const headers = await authorization(clock);
  await fetch(url + nsPath(freshNamespace(), "changes"), { headers, signal: leave.signal });
  await expect.poll(() => clock.timers).toBe(1);
  leave.abort();
  await expect.poll(() => clock.timers).toBe(0);
});

test("an export is cut at its token's end, so that nobody takes it for whole", async () => {
  const clock = testClock();
  const gate = Promise.withResolvers<void>();
  let isReturned = false;
  const memory = await exporting(async function* () {
    try {
      yield largeLine("first");
      await gate.promise;
      yield largeLine("second");
    } finally {
      isReturned = true;
    }
  });
  const { url } = await startServer({ env: ENV, clock, memory });
  const response = await fetch(`${url}/v1/namespaces/%2F/export`, {
    headers: await authorization(clock),
  });
  const reading = new Reading(response);
  await reading.until("\n");
  clock.pass(PAST_END_MS);
  gate.resolve();
  await expect(reading.until(undefined)).rejects.toThrow(/terminated/);
  expect(reading.text).not.toContain("second");
  await expect.poll(() => isReturned).toBe(true);
});

test("an export whose reader does not read is cut by a timer", async () => {
  const clock = testClock();
  let given = 0;
  let isReturned = false;
  const memory = await exporting(async function* () {
    try {
      for (;;) {
        given += 1;
        yield await Promise.resolve(largeLine(`k${given}`));
      }
    } finally {
      isReturned = true;
    }
  });
  const { server } = await startServer({ env: ENV, clock, memory });
  const headers = { Authorization: (await authorization(clock)).authorization };
  const socket = connect(server.port, "127.0.0.1");
  onTestFinished(() => {
    socket.destroy();
  });
  socket.pause();
  socket.on("error", () => {});
  socket.write(requestText("GET", "/v1/namespaces/%2F/export", headers));
  await expect.poll(() => clock.timers).toBe(1);
  // Once nothing more is asked for, all buffers are full.
  let before = -1;
  const isStalled = (): boolean => {
    const wasAt = before;
    before = given;
    return given === wasAt;
  };
  await expect.poll(isStalled).toBe(true);
  clock.pass(PAST_END_MS);
  clock.ring();
  await expect.poll(() => isReturned).toBe(true);
  await expect.poll(() => server.state.inFlight).toBe(0);
});
