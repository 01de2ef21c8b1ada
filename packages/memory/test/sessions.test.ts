import { crc32 } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { expectCode } from "../src/testing/expect-code.ts";
import { openManager } from "./support/managers.ts";
import { embeddedDatabase, openAuthority } from "./support/databases.ts";
import { SimulatedLog } from "./support/simulated-log.ts";
import { openServer, pass } from "./support/two-servers.ts";
import type { SimulatedServer } from "./support/two-servers.ts";

const OTHERS = Array.from({ length: 1000 }, (_, at) => `other${at}`);

async function openTwo(): Promise<{
  readonly log: SimulatedLog;
  readonly here: SimulatedServer;
  readonly there: SimulatedServer;
}> {
  const log = new SimulatedLog();
  const [here, there] = [await openServer(log), await openServer(log)];
  onTestFinished(async () => {
    await here.memory.close();
    await there.memory.close();
  });
  return { log, here, there };
}

async function tiersOf(server: SimulatedServer, token: string): Promise<Set<string | undefined>> {
  const view = server.memory.session(token);
  const items = [];
  for (const key of OTHERS) items.push(await view.getItem(key));
  return new Set(items.map((item) => item?.tier));
}

/** A whole token of a format that this release does not know. */
function tokenOfTomorrow(): string {
  const body = Buffer.from([99, 1, 2, 3]);
  const check = Buffer.alloc(4);
  check.writeUInt32LE(crc32(body));
  return Buffer.concat([body, check]).toString("base64url");
}

test("a session that writes one key still hits process memory on a thousand others, on each server", async () => {
  const { here, there } = await openTwo();
  for (const key of OTHERS) await here.memory.set(key, 1);
  for (const server of [here, there]) {
    await server.memory.getMany(OTHERS);
    // Long enough for these copies to be as old as those of a server that has run for a while.
    for (let polls = 0; polls < 8; polls += 1) await pass(server, 250);
  }
  const session = here.memory.session();
  await session.set("mine", 1);
  await there.memory.get("mine");
  for (const server of [here, there]) {
    const polls = server.authority.polls;
    const tiers = await tiersOf(server, session.token);
    expect([...tiers].every((tier) => tier === "l0" || tier === "l1")).toBe(true);
    expect(server.authority.polls).toBe(polls);
  }
  expect(await there.memory.session(session.token).get("mine")).toBe(1);
});

test("a write is seen on a server whose copy is old, and the old copy without a session", async () => {
  const { here, there } = await openTwo();
  await here.memory.set("k", "old");
  expect(await there.memory.get("k")).toBe("old");
  const session = here.memory.session();
  await session.set("k", "new");
  expect(await there.memory.get("k")).toBe("old");
  expect(await there.memory.get("k", { session: session.token, consistency: "any" })).toBe("old");
  expect(there.memory.session(session.token).peek("k")).toBeUndefined();
  expect(await there.memory.get("k", { session: session.token })).toBe("new");
});

test.each([
  "delete",
  "a read that found nothing",
  "a read that found nothing, folded into the floor",
])("after %s the old value is not seen again", async (how) => {
  const { here, there } = await openTwo();
  await here.memory.set("k", "old");
  expect(await there.memory.get("k")).toBe("old");
  const session = here.memory.session();
  if (how === "delete") await session.delete("k");
  else await here.memory.delete("k");
  if (how !== "delete") expect(await session.exists("k")).toBe(false);
  if (how === "a read that found nothing, folded into the floor")
    await session.getMany(OTHERS.slice(0, 70)).then(() => session.get("k"));
  expect(await there.memory.get("k")).toBe("old");
  expect(await there.memory.get("k", { session: session.token })).toBeUndefined();
  expect(await there.memory.exists("k", { session: session.token })).toBe(false);
  expect(await there.memory.getMany(["k"], { session: session.token })).toEqual([undefined]);
  const [result] = await there.memory.batchOperations([{ type: "get", key: "k" }], {
    session: session.token,
  });
  expect(result?.found).toBe(false);
});

test("what was absent and is written is read from copies again", async () => {
  const { here } = await openTwo();
  const session = here.memory.session();
  expect(await session.get("k")).toBeUndefined();
  await session.set("k", 1);
  expect((await session.getItem("k"))?.tier).toBe("l1");
});

test("a failed condition has been seen too", async () => {
  const { here, there } = await openTwo();
  await here.memory.set("k", "old");
  await there.memory.get("k");
  await here.memory.set("k", "new");
  const session = here.memory.session();
  await expectCode("VERSION_CONFLICT", () => session.compareAndSet("k", null, 1));
  expect(await there.memory.get("k", { session: session.token })).toBe("new");
});

test("a thousand keys cost one poll each time that a token is full", async () => {
  const { here, there } = await openTwo();
  const session = here.memory.session();
  const { polls } = here.authority;
  for (const key of OTHERS) {
    await session.set(key, 1);
    expect(session.token.length).toBeLessThanOrEqual(1024);
  }
  expect(here.authority.polls - polls).toBe(Math.floor(OTHERS.length / 65));
  for (const key of ["other0", "other500", "other999"])
    expect(await there.memory.get(key, { session: session.token })).toBe(1);
});

test("with the log out of reach no demand is lost: the authority answers, and the token asks for all", async () => {
  const { here, there } = await openTwo();
  await here.memory.set("k", "old");
  expect(await there.memory.get("k")).toBe("old");
  here.authority.isLogAway = true;
  const session = here.memory.session();
  await session.set("k", "new");
  for (const key of OTHERS.slice(0, 100)) await session.set(key, 1);
  there.authority.isLogAway = true;
  expect((await there.memory.getItem("k", { session: session.token }))?.tier).toBe("l3");
  there.authority.isLogAway = false;
  const resumed = there.memory.session(session.token);
  expect(await resumed.get("k")).toBe("new");
  expect((await resumed.getItem("k"))?.tier).not.toBe("l3");
});

test("a token from before a restore demands nothing of the restored, but the newest", async () => {
  const { log, here, there } = await openTwo();
  const session = here.memory.session();
  await session.set("k", "lost");
  log.epoch = "two";
  await here.memory.set("k", "restored");
  expect(await there.memory.get("k", { session: session.token })).toBe("restored");
  await session.set("l", 1);
  expect(await there.memory.get("l", { session: session.token })).toBe(1);
});

test("a token of another release is no error, and the newest is shown", async () => {
  const { here, there } = await openTwo();
  await here.memory.set("k", "old");
  expect(await there.memory.get("k")).toBe("old");
  await here.memory.set("k", "new");
  expect(await there.memory.get("k", { session: tokenOfTomorrow() })).toBe("new");
});

test("damaged tokens are refused everywhere, and nothing is changed", async () => {
  const { here } = await openTwo();
  const { memory } = here;
  const session = "damaged";
  const calls = [
    () => memory.session(session),
    () => memory.get("k", { session }),
    () => memory.getItem("k", { session }),
    () => memory.getMany(["k"], { session }),
    () => memory.exists("k", { session }),
    () => memory.batchOperations([{ type: "set", key: "k", value: 1 }], { session }),
    () => memory.search({ session }),
  ];
  for (const call of calls) await expectCode("INVALID_SESSION", call);
  expect(await memory.exists("k")).toBe(false);
});

test("where nobody else writes every session has the same short token, and it is still checked", async () => {
  const memory = await openManager(await openAuthority(embeddedDatabase()), "usual");
  onTestFinished(() => memory.close());
  const session = memory.session();
  await session.set("k", 1);
  expect(await session.get("k")).toBe(1);
  expect(session.token.length).toBeLessThan(32);
  expect(memory.session(session.token).token).toBe(session.token);
  await expectCode("INVALID_SESSION", () => memory.session(`${session.token}A`));
});
