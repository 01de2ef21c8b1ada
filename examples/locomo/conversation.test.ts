import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { generateConversations, readLocomo } from "./conversation.ts";

const folder = mkdtempSync(join(tmpdir(), "cherry-conversation-"));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("sessions become turns with keys in the order of speech and a time", () => {
  const file = join(folder, "conversations.json");
  const conversation = {
    speaker_a: "A",
    session_1_date_time: "12:05 am on 8 May, 2023",
    session_1: [
      { speaker: "A", text: "one" },
      { speaker: "B", text: "two" },
    ],
    session_2_date_time: "1:56 pm on 9 May, 2023",
    session_2: [{ speaker: "A", text: "three" }],
  };
  writeFileSync(file, JSON.stringify([{ sample_id: "c", conversation, qa: [] }]));
  const [read] = readLocomo(file);
  expect(read?.turns.map(({ key, at, text }) => [key, at, text])).toEqual([
    ["session-01:turn-001", "2023-05-08T00:05:00.000Z", "one"],
    ["session-01:turn-002", "2023-05-08T00:05:00.000Z", "two"],
    ["session-02:turn-001", "2023-05-09T13:56:00.000Z", "three"],
  ]);
});

test("made-up conversations are the same for the same seed, and of the size asked for", () => {
  const options = { seed: 3, conversations: 2, sessions: 3, turnsPerSession: 4 };
  const made = generateConversations(options);
  expect(made).toEqual(generateConversations(options));
  expect(made).not.toEqual(generateConversations({ ...options, seed: 4 }));
  expect(made.map(({ turns }) => new Set(turns.map(({ key }) => key)).size)).toEqual([12, 12]);
});
