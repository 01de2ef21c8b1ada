import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { ROUTES } from "../src/routes/table.ts";
import { raw, requestText } from "./raw.ts";
import { freshNamespace, itemPath, nsPath, sharedMemory, startServer } from "./server.ts";
import type { Answer, TestServer } from "./server.ts";

beforeAll(sharedMemory);

const BODIES = { PUT: { value: { by: "PUT" } }, PATCH: { by: "PATCH" }, DELETE: undefined };
const WRITES = ["PUT", "PATCH", "DELETE"] as const;

/** An item that was written twice, so that it has an older version. */
async function twice(
  call: TestServer["call"],
): Promise<{ readonly path: string; readonly old: string; readonly now: string }> {
  const path = itemPath(freshNamespace(), "k");
  const first = await call("PUT", path, { value: { by: "first" } });
  const second = await call("PUT", path, { value: { by: "second" } });
  return { path, old: String(first.json?.["version"]), now: String(second.json?.["version"]) };
}

async function expectUnchanged(call: TestServer["call"], path: string, now: string): Promise<void> {
  const got = await call("GET", `${path}?consistency=latest`);
  expect([got.status, got.json?.["version"], got.json?.["value"]]).toEqual([
    200,
    now,
    { by: "second" },
  ]);
}

function expectConflict(answer: Answer, current: string | null): void {
  expect([answer.status, answer.json?.["code"], answer.json?.["currentVersion"]]).toEqual([
    412,
    "VERSION_CONFLICT",
    current,
  ]);
}

test.each(WRITES)("%s with a tag that is no version of the item is a 412", async (method) => {
  const { call } = await startServer();
  const { path, old, now } = await twice(call);
  const tags = [
    '"*"',
    '"abc"',
    '""',
    '"0"',
    `"0${now}"`,
    `" ${now}"`.replace(" ", "+"),
    `"${now}.0"`,
    '"99999999999999999999"',
    `W/"${now}"`,
    `"${old}"`,
    `"${old}", W/"${now}", "x,${now}"`,
  ];
  for (const tag of tags) {
    const answer = await call(method, path, BODIES[method], { "if-match": tag });
    expect([tag, answer.status]).toEqual([tag, 412]);
    expectConflict(answer, now);
  }
  await expectUnchanged(call, path, now);
});

test.each(WRITES)("%s is done when one tag of a list is the item's", async (method) => {
  const { call } = await startServer();
  for (const list of [
    (old: string, now: string) => `"${old}", "${now}"`,
    (old: string, now: string) => `"${now}","${old}"`,
    (old: string, now: string) => `W/"${old}" , ,"abc", "${now}"`,
  ]) {
    const { path, old, now } = await twice(call);
    const answer = await call(method, path, BODIES[method], { "if-match": list(old, now) });
    expect([list(old, now), answer.status]).toEqual([list(old, now), 200]);
  }
});

test.each(WRITES)("%s with two If-Match lines takes them as one list", async (method) => {
  const server = await startServer();
  const { path, old, now } = await twice(server.call);
  const body = BODIES[method] === undefined ? "" : JSON.stringify(BODIES[method]);
  const text = requestText(
    method,
    path,
    { "Content-Type": "application/json", "If-Match": `"${old}"\r\nIf-Match: "${now}"` },
    body,
  );
  expect(await raw(server, text)).toMatch(/^HTTP\/1\.1 200 /);
});

test.each(WRITES)("%s on an absent item with a tag or * is a 412 that says so", async (method) => {
  const { call } = await startServer();
  for (const tag of ["*", '"12"', '"abc"', 'W/"1"', '"1", "2"']) {
    const path = itemPath(freshNamespace(), "k");
    const answer = await call(method, path, BODIES[method], { "if-match": tag });
    expect([tag, answer.status]).toEqual([tag, 412]);
    expectConflict(answer, null);
    expect((await call("GET", path)).status).toBe(404);
  }
});

test.each(WRITES)("%s with an If-Match that is none is refused by its name", async (method) => {
  const { call } = await startServer();
  const { path, now } = await twice(call);
  for (const header of [now, `"${now}`, `"${now}" "1"`, `*, "${now}"`, ",", `w/"${now}"`]) {
    const answer = await call(method, path, BODIES[method], { "if-match": header });
    const { status, json } = answer;
    expect([header, status, json?.["code"], json?.["field"]]).toEqual([
      header,
      400,
      "INVALID_ARGUMENT",
      "If-Match",
    ]);
  }
  await expectUnchanged(call, path, now);
});

test("a tag that matches nothing is named in the answer as it was sent", async () => {
  const { call } = await startServer();
  const { path } = await twice(call);
  const answer = await call("DELETE", path, undefined, { "if-match": '"abc"' });
  expect(answer.json?.["detail"]).toContain('"abc"');
  expect(answer.json?.["detail"]).not.toContain("version 0");
});

test("several versions beside an Idempotency-Key are refused: a repeat could match another", async () => {
  const { call } = await startServer();
  const { path, old, now } = await twice(call);
  const headers = { "if-match": `"${old}", "${now}"`, "idempotency-key": "once" };
  const answer = await call("DELETE", path, undefined, headers);
  expect([answer.status, answer.json?.["field"]]).toEqual([400, "If-Match"]);
  await expectUnchanged(call, path, now);
});

test.each(["PATCH", "DELETE"] as const)("%s refuses If-None-Match by its name", async (method) => {
  const { call } = await startServer();
  const { path, now } = await twice(call);
  for (const header of ["*", `"${now}"`, '"0"']) {
    const answer = await call(method, path, BODIES[method], { "if-none-match": header });
    expect([answer.status, answer.json?.["code"], answer.json?.["field"]]).toEqual([
      400,
      "INVALID_ARGUMENT",
      "If-None-Match",
    ]);
  }
  await expectUnchanged(call, path, now);
});

test("a condition on a route that takes none is refused, and nothing is written", async () => {
  const { call } = await startServer();
  const posts = ROUTES.filter(({ method }) => method === "POST");
  expect(posts.length).toBeGreaterThan(3);
  for (const { path } of posts)
    for (const name of ["If-Match", "If-None-Match"]) {
      const target = path.replace("{ns}", freshNamespace());
      const answer = await call("POST", target, undefined, { [name]: "*" });
      expect([path, answer.status, answer.json?.["field"]]).toEqual([path, 400, name]);
    }
  const ns = freshNamespace();
  const operations = [{ type: "set", key: "k", value: 1 }];
  await call("POST", nsPath(ns, "batch"), { operations }, { "if-match": '"1"' });
  expect((await call("GET", itemPath(ns, "k"))).status).toBe(404);
});

test("whatever If-Match says, an item is written only when its version is in it", async () => {
  const { call } = await startServer();
  const path = itemPath(freshNamespace(), "k");
  let now = String((await call("PUT", path, { value: 0 })).json?.["version"]);
  const piece = fc.constantFrom("NOW", '"NOW"', 'W/"NOW"', '"1"', '"x"', "*", '"*"', ",", " ");
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 4 }), async (pieces) => {
      const header = pieces.join("").replaceAll("NOW", now);
      const answer = await call("PUT", path, { value: 1 }, { "if-match": header });
      const trimmed = header.trim();
      const strong = trimmed.split(/ *, */).includes(`"${now}"`);
      if (answer.status !== 200) return [400, 412].includes(answer.status);
      now = String(answer.json?.["version"]);
      return strong || trimmed === "*";
    }),
    { numRuns: 200 },
  );
});
