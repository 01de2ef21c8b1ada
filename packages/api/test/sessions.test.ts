import { crc32 } from "node:zlib";
import { UnifiedMemoryManager, loadConfig } from "@cherry-ai/memory";
import { CherryClient } from "@cherry-ai/client";
import { describeWithPostgres, testDatabase } from "@cherry-ai/services/vitest";
import { expect, test } from "vitest";
import { freshNamespace, itemPath, nsPath, startServer } from "./server.ts";
import type { Answer, TestServer } from "./server.ts";

const HEADER = "x-cherry-session";

function tokenOf({ headers }: Answer): string {
  return headers.get(HEADER) ?? "";
}

async function serve(url: string): Promise<TestServer> {
  // A bound so long that nothing but the session brings the newest.
  const env = { DATABASE_URL: url, CHERRY_MAX_STALENESS_MS: "60000" };
  return startServer({ memory: new UnifiedMemoryManager(loadConfig(env)) });
}

test("every write and read answers with a token, a refusal too", async () => {
  const { call } = await startServer();
  const ns = freshNamespace();
  const path = itemPath(ns, "k");
  const answers = [
    await call("GET", path),
    await call("PUT", path, { value: { n: 1 } }),
    await call("GET", path),
    await call("HEAD", path),
    await call("PATCH", path, { n: 2 }),
    await call("PUT", path, { value: 1 }, { "If-None-Match": "*" }),
    await call("POST", nsPath(ns, "batch"), { operations: [{ type: "get", key: "k" }] }),
    await call("POST", nsPath(ns, "search"), {}),
    await call("DELETE", path),
    await call("POST", nsPath(ns, "forget"), { keys: ["k"] }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([
    404, 200, 200, 200, 200, 412, 200, 200, 200, 200,
  ]);
  for (const answer of answers) {
    expect(tokenOf(answer)).toMatch(/^[\w-]{10,1024}$/);
    const headers = { [HEADER]: tokenOf(answer) };
    expect((await call("GET", path, undefined, headers)).status).toBe(404);
  }
});

test.each(["", "damaged", "A".repeat(2000), "é"])(
  "the damaged token %j is 400, names the header and changes nothing",
  async (token) => {
    const { call } = await startServer();
    const ns = freshNamespace();
    const path = itemPath(ns, "k");
    const headers = { [HEADER]: token };
    const operations = [{ type: "set", key: "k", value: 1 }];
    for (const answer of [
      await call("GET", path, undefined, headers),
      await call("GET", `${path}?consistency=any`, undefined, headers),
      await call("PUT", path, { value: 1 }, headers),
      await call("DELETE", path, undefined, headers),
      await call("POST", nsPath(ns, "batch"), { operations }, headers),
      await call("POST", nsPath(ns, "search"), {}, headers),
    ]) {
      expect([answer.status, answer.json?.["code"]]).toEqual([400, "INVALID_SESSION"]);
      expect(answer.json?.["field"]).toBe("X-Cherry-Session");
    }
    expect((await call("GET", path)).status).toBe(404);
  },
);

test("a whole token of another format is taken for a session that has seen everything", async () => {
  const { call } = await startServer();
  const path = itemPath(freshNamespace(), "k");
  await call("PUT", path, { value: 1 });
  const body = Buffer.from([99, 1, 2, 3]);
  const check = Buffer.alloc(4);
  check.writeUInt32LE(crc32(body));
  const token = Buffer.concat([body, check]).toString("base64url");
  expect((await call("GET", path, undefined, { [HEADER]: token })).status).toBe(200);
});

test.each(["any", "session", "latest"])("consistency=%s is taken by reads", async (level) => {
  const { call } = await startServer();
  const ns = freshNamespace();
  await call("PUT", itemPath(ns, "k"), { value: 1 });
  const query = `?consistency=${level}`;
  const operations = [{ type: "get", key: "k" }];
  const item = await call("GET", itemPath(ns, "k") + query);
  expect([item.status, item.headers.get("x-cherry-tier")]).toEqual([
    200,
    level === "latest" ? "l3" : "l1",
  ]);
  expect((await call("POST", nsPath(ns, "batch") + query, { operations })).status).toBe(200);
  expect((await call("POST", nsPath(ns, "search") + query, {})).status).toBe(200);
});

describeWithPostgres("two servers over one PostgreSQL", () => {
  test("a token shows what it stands for on either of them", async () => {
    const url = await testDatabase();
    const [here, there] = [await serve(url), await serve(url)];
    const ns = freshNamespace();
    const path = itemPath(ns, "k");
    await here.call("PUT", path, { value: "old" });
    await there.call("GET", path);
    const written = await here.call("PUT", path, { value: "new" });
    const headers = { [HEADER]: tokenOf(written) };
    expect((await there.call("GET", path)).json?.["value"]).toBe("old");
    const read = await there.call("GET", path, undefined, headers);
    expect([read.json?.["value"], read.json?.["version"]]).toEqual([
      "new",
      written.json?.["version"],
    ]);
    const again = await here.call("GET", path, undefined, { [HEADER]: tokenOf(read) });
    expect(again.json?.["value"]).toBe("new");
    await here.call("DELETE", path);
    const gone = await here.call("GET", path);
    expect((await there.call("GET", path)).status).toBe(200);
    const seen = await there.call("GET", path, undefined, { [HEADER]: tokenOf(gone) });
    expect(seen.status).toBe(404);
  });

  test("a session of the client goes from one to the other", async () => {
    const url = await testDatabase();
    const [here, there] = [await serve(url), await serve(url)];
    const [one, other] = [
      new CherryClient({ baseUrl: here.url }),
      new CherryClient({ baseUrl: there.url }),
    ];
    const key = freshNamespace();
    await one.put(key, "old");
    expect(await other.get(key)).toBe("old");
    const session = one.session();
    expect(session.sessionToken).toBeUndefined();
    await session.put(key, "new");
    expect(await other.get(key)).toBe("old");
    const resumed = other.session(session.sessionToken);
    expect(await resumed.get(key, { consistency: "any" })).toBe("old");
    expect(await resumed.get(key)).toBe("new");
    expect(one.sessionToken).toBeUndefined();
  });
});
