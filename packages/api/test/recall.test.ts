import { beforeAll, expect, test } from "vitest";
import { freshNamespace, nsPath, sharedMemory, startServer } from "./server.ts";

beforeAll(sharedMemory);

test("a turn that was remembered is recalled by its words, with a context for a prompt", async () => {
  const { call } = await startServer();
  const ns = freshNamespace();
  const said = { sessionId: "monday", at: "2026-05-08T13:56:00Z" };
  const remember = nsPath(ns, "remember");
  await call("POST", remember, { ...said, speaker: "Ann", text: "How was your weekend?" });
  const kept = await call("POST", remember, {
    ...said,
    speaker: "Bob",
    text: "I adopted a greyhound!",
    metadata: { mood: "glad" },
    importance: 0.8,
  });
  expect(kept.status).toBe(200);
  expect(kept.json).toMatchObject({ id: kept.json?.["key"], tiers: { l3: "stored" } });
  const body = { query: "Who adopted a greyhound?", limit: 1, mode: "keyword" };
  const answer = await call("POST", nsPath(ns, "recall"), body);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("x-cherry-session")).not.toBeNull();
  expect(answer.json).toMatchObject({
    items: [
      {
        id: kept.json?.["id"],
        text: "I adopted a greyhound!",
        speaker: "Bob",
        at: "2026-05-08T13:56:00.000Z",
        importance: 0.8,
        metadata: { mood: "glad" },
        neighbours: [{ text: "How was your weekend?" }],
      },
    ],
    context:
      "[2026-05-08 13:56] Ann: How was your weekend?\n[2026-05-08 13:56] Bob: I adopted a greyhound!",
  });
});

test("feedback is stored for items that are there", async () => {
  const { call } = await startServer();
  const ns = freshNamespace();
  const { json } = await call("POST", nsPath(ns, "remember"), { text: "tea" });
  const feedback = nsPath(ns, "feedback");
  const good = await call("POST", feedback, { query: "drink?", relevant: [json?.["id"]] });
  expect(good.status).toBe(200);
  const gone = await call("POST", feedback, { query: "drink?", relevant: ["gone"] });
  expect([gone.status, gone.json?.["code"]]).toEqual([404, "NOT_FOUND"]);
  const search = await call("POST", nsPath(ns, "search"), { below: true });
  expect(search.json?.["items"]).toHaveLength(1);
});

test.each([
  ["remember", { text: "tea", at: "noon" }, "at"],
  ["remember", { txt: "tea" }, "txt"],
  ["remember", { id: "", text: "tea" }, "id"],
  ["remember", { text: "tea", importance: "high" }, "importance"],
  ["recall", { query: 5 }, "query"],
  ["recall", { query: "tea", tokenBudget: 1.5 }, "tokenBudget"],
  ["recall", { query: "t".repeat(1024 * 1024) }, "query"],
  ["feedback", { query: "tea", relevant: [] }, "relevant"],
  ["feedback", { query: "tea", relevant: "k" }, "relevant"],
])("%s %o is a 400 that names the field", async (route, body, field) => {
  const { call } = await startServer();
  const answer = await call("POST", nsPath(freshNamespace(), route), body);
  expect([answer.status, answer.json?.["field"]]).toEqual([400, field]);
});
