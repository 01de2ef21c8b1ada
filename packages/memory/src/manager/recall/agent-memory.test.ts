import { beforeAll, describe, expect, test } from "vitest";
import { isMemoryError } from "../../model/errors.ts";
import type { Memory } from "../memory.ts";
import { UnifiedMemoryManager } from "../unified-memory-manager.ts";

let manager: UnifiedMemoryManager;
let opened = 0;

beforeAll(async () => {
  manager = new UnifiedMemoryManager({
    dataDir: ":memory:",
    tiers: { L4: { enabled: false } },
    optimization: { enabled: false },
  });
  await manager.initialize();
  return () => manager.close();
});

/** A place of its own for each test. */
function fresh(): Memory {
  opened += 1;
  return manager.namespace(`test-${opened}`);
}

async function textsOf(memory: Memory, query: string, options = {}): Promise<string[]> {
  const { items } = await memory.recall({ query, mode: "keyword", ...options });
  return items.map(({ text }) => text);
}

async function codeOf(call: () => Promise<unknown>): Promise<string> {
  try {
    await call();
  } catch (error) {
    return isMemoryError(error) ? error.code : String(error);
  }
  return "accepted";
}

describe("remember", () => {
  test("a turn is found by its words at once, with what was said around it", async () => {
    const memory = fresh();
    const said = { sessionId: "s1", at: "2026-05-08T13:56:00Z" };
    await memory.remember({ ...said, speaker: "Ann", text: "Shall we paint the fence?" });
    await memory.remember({ ...said, speaker: "Bob", text: "I adopted a greyhound yesterday." });
    await memory.remember({ ...said, speaker: "Ann", text: "What is she called?" });
    await memory.remember({ sessionId: "s2", speaker: "Bob", text: "The boat needs a new sail." });
    const answer = await memory.recall({ query: "Who adopted a greyhound?", limit: 1 });
    expect(answer.items.map(({ text }) => text)).toEqual(["I adopted a greyhound yesterday."]);
    expect(answer.items[0]?.neighbours.map(({ text }) => text)).toEqual([
      "Shall we paint the fence?",
      "What is she called?",
    ]);
    expect(answer.context).toBe(
      [
        "[2026-05-08 13:56] Ann: Shall we paint the fence?",
        "[2026-05-08 13:56] Bob: I adopted a greyhound yesterday.",
        "[2026-05-08 13:56] Ann: What is she called?",
      ].join("\n"),
    );
  });

  test("50 at once of the same words are one memory, counted", async () => {
    const memory = fresh();
    const said = { sessionId: "s", speaker: "Ann" };
    const receipts = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        memory.remember({ ...said, text: index % 2 === 0 ? "I like tea" : "  I  LIKE tea " }),
      ),
    );
    expect(new Set(receipts.map(({ id }) => id)).size).toBe(1);
    expect(new Set(receipts.map(({ version }) => version)).size).toBe(50);
    const { items } = await memory.recall({ query: "tea" });
    expect(items).toMatchObject([{ text: "I like tea", count: 50 }]);
  });

  test("another session, speaker or text is another memory", async () => {
    const memory = fresh();
    for (const said of [
      {},
      { sessionId: "s" },
      { speaker: "Ann" },
      { sessionId: "s", speaker: "Ann" },
    ])
      await memory.remember({ ...said, text: "tea" });
    await memory.remember({ text: "no tea" });
    expect(await textsOf(memory, "tea", { limit: 50 })).toHaveLength(5);
  });

  test("the same id is an update: found by the new words, never by the old ones", async () => {
    const memory = fresh();
    const first = await memory.remember({ id: "m", sessionId: "s", text: "lives in Paris" });
    expect(await textsOf(memory, "Paris")).toHaveLength(1);
    const second = await memory.remember({ id: "m", text: "lives in Berlin", importance: 0.5 });
    expect([first.id, second.id]).toEqual(["m", "m"]);
    expect(await textsOf(memory, "Paris")).toEqual([]);
    const { items } = await memory.recall({ query: "Berlin" });
    expect(items).toMatchObject([{ id: "m", sessionId: "s", importance: 0.5, count: 1 }]);
  });

  test("what is superseded stays, and is found as of its time", async () => {
    const memory = fresh();
    const paris = await memory.remember({ text: "Ann lives in Paris", at: "2024-01-01" });
    const berlin = await memory.remember({
      text: "Ann lives in Berlin",
      at: "2025-06-01",
      supersedes: paris.id,
    });
    const where = "Where does Ann live?";
    expect(await textsOf(memory, where)).toEqual(["Ann lives in Berlin"]);
    expect(await textsOf(memory, where, { asOf: "2024-07-01" })).toEqual(["Ann lives in Paris"]);
    expect(await textsOf(memory, where, { asOf: "2025-05-31" })).toEqual(["Ann lives in Paris"]);
    expect(await textsOf(memory, where, { asOf: "2025-06-01" })).toEqual(["Ann lives in Berlin"]);
    expect(await textsOf(memory, where, { asOf: "2023-07-01" })).toEqual([]);
    const old = await memory.getItem(paris.id);
    expect(old?.value).toMatchObject({
      validTo: "2025-06-01T00:00:00.000Z",
      supersededBy: berlin.id,
    });
  });

  test("what holds again after it was superseded is a memory of its own", async () => {
    const memory = fresh();
    const first = await memory.remember({ text: "Ann lives in Paris", at: "2024-01-01" });
    const then = { at: "2025-01-01", supersedes: first.id };
    const second = await memory.remember({ text: "Ann lives in Berlin", ...then });
    const again = { at: "2026-01-01", supersedes: second.id };
    const third = await memory.remember({ text: "Ann lives in Paris", ...again });
    expect(third.id).not.toBe(first.id);
    expect(await memory.remember({ text: "Ann lives in Paris", ...again })).toMatchObject({
      id: third.id,
    });
    const where = "Where does Ann live?";
    expect(await textsOf(memory, where)).toEqual(["Ann lives in Paris"]);
    expect(await textsOf(memory, where, { asOf: "2025-07-01" })).toEqual(["Ann lives in Berlin"]);
  });

  test("nothing is written when what it supersedes is not there", async () => {
    const memory = fresh();
    await memory.set("plain", "no memory");
    const superseding = (supersedes: string) => () =>
      memory.remember({ id: "m", text: "tea", supersedes });
    expect(await codeOf(superseding("gone"))).toBe("NOT_FOUND");
    expect(await codeOf(superseding("plain"))).toBe("INVALID_ARGUMENT");
    expect(await codeOf(superseding("m"))).toBe("INVALID_ARGUMENT");
    expect(await codeOf(() => memory.remember({ id: "plain", text: "tea" }))).toBe(
      "INVALID_ARGUMENT",
    );
    expect(await memory.exists("m")).toBe(false);
    expect(await memory.get("plain")).toBe("no memory");
  });

  test("working memory ends; said again without a lifetime it becomes lasting", async () => {
    const memory = fresh();
    const tea = await memory.remember({ text: "tea", ttlSeconds: 100 });
    expect((await memory.getItem(tea.id))?.ttlSeconds).toBeLessThanOrEqual(100);
    await memory.remember({ text: "tea", ttlSeconds: 10 });
    expect((await memory.getItem(tea.id))?.ttlSeconds).toBeGreaterThan(90);
    await memory.remember({ text: "tea" });
    expect((await memory.getItem(tea.id))?.ttlSeconds).toBeUndefined();
    await memory.remember({ text: "tea", ttlSeconds: 10 });
    expect((await memory.getItem(tea.id))?.ttlSeconds).toBeUndefined();
  });
});

describe("recall", () => {
  test("keeps to the session and the times asked for", async () => {
    const memory = fresh();
    for (let day = 1; day <= 4; day += 1)
      await memory.remember({
        sessionId: day % 2 === 0 ? "even" : "odd",
        text: `tea on day ${day}`,
        at: new Date(Date.UTC(2026, 0, day)),
      });
    const named = async (options: object): Promise<string[]> =>
      (await textsOf(memory, "tea", options)).map((text) => text.slice(-1)).toSorted();
    expect(await named({})).toEqual(["1", "2", "3", "4"]);
    expect(await named({ sessionId: "even" })).toEqual(["2", "4"]);
    expect(await named({ from: "2026-01-02", to: "2026-01-04" })).toEqual(["2", "3"]);
    expect(await named({ from: new Date(Date.UTC(2026, 0, 4)) })).toEqual(["4"]);
  });

  test("never brings what another namespace holds, however like its name", async () => {
    const memory = fresh();
    const names = ["users/1", "users/10", "users/1/notes", "users", "users/1%"];
    for (const name of names) await memory.namespace(name).remember({ text: `tea of ${name}` });
    for (const name of names)
      expect(await textsOf(memory.namespace(name), "tea")).toEqual([`tea of ${name}`]);
  });

  test("the context keeps to its budget and says the best first", async () => {
    const memory = fresh();
    for (let index = 0; index < 20; index += 1)
      await memory.remember({ sessionId: "s", text: `number ${index} of the tea party` });
    await memory.remember({ sessionId: "s", text: "the samovar" });
    const { context, tokens } = await memory.recall({ query: "samovar tea", tokenBudget: 40 });
    expect(tokens).toBeLessThanOrEqual(40);
    expect(context).toContain("the samovar");
    const none = await memory.recall({ query: "samovar", tokenBudget: 0 });
    expect(none).toMatchObject({ context: "", tokens: 0 });
    expect(none.items).not.toEqual([]);
  });

  test("says what each signal adds", async () => {
    const memory = fresh();
    await memory.remember({ sessionId: "s", text: "tea" });
    const { items } = await memory.recall({ query: "tea", explain: true });
    const [item] = items;
    const sum = Object.values(item?.signals ?? {}).reduce((all, one) => all + one, 0);
    expect(item?.signals?.["words"]).toBeGreaterThan(0);
    expect(sum).toBeCloseTo(item?.score ?? Number.NaN, 9);
  });

  test("what is forgotten is never recalled", async () => {
    const memory = fresh();
    const { id } = await memory.remember({ sessionId: "s", text: "tea" });
    await memory.remember({ sessionId: "s", text: "coffee" });
    await memory.forget({ keys: [id] });
    const { items, context } = await memory.recall({ query: "tea coffee" });
    expect(items.map(({ text }) => text)).toEqual(["coffee"]);
    expect(context).not.toContain("tea");
  });
});

test("wrong options are refused by name and change nothing", async () => {
  const memory = fresh();
  const wrong: readonly object[] = [
    {},
    { text: " " },
    { text: 5 },
    { text: "t", at: "yesterday" },
    { text: "t", at: "2026-02-30" },
    { text: "t", at: "2026-02-03T10:00" },
    { text: "t", importance: 2 },
    { text: "t", pinned: 1 },
    { text: "t", speaker: "" },
    { text: "t", sessionId: "a\u0000" },
    { text: "t", supersedes: Array.from({ length: 33 }, (_, index) => `m${index}`) },
    { text: "t", colour: "red" },
  ];
  for (const options of wrong)
    expect(await codeOf(() => memory.remember(options as { text: string }))).toBe(
      "INVALID_ARGUMENT",
    );
  for (const options of [{ limit: 0 }, { from: "x" }, { neighbours: 11 }, { tokenBudget: -1 }])
    expect(await codeOf(() => memory.recall({ query: "t", ...options }))).toBe("INVALID_ARGUMENT");
  expect(await codeOf(() => memory.recall({ query: " " }))).toBe("INVALID_ARGUMENT");
  expect((await memory.search()).items).toEqual([]);
});
