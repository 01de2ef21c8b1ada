import { CherryClient } from "@cherry-ai/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { generateConversations } from "./locomo/conversation.ts";
import { startServer } from "./locomo/server.ts";
import type { Server } from "./locomo/server.ts";
import { tour } from "./locomo/tour.ts";

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

test("the tour stores, reads, searches and forgets on a fresh server, twice", async () => {
  const client = new CherryClient({ baseUrl: server.url, namespace: "locomo" });
  const conversations = generateConversations({
    seed: 1,
    conversations: 2,
    sessions: 3,
    turnsPerSession: 12,
  });
  const lines: string[] = [];
  const print = (line: string): void => void lines.push(line);
  await tour({ client, conversations, reads: 50, print });
  expect(lines).toContain("left      get 0, search 0, export 0, count 0");
  expect(lines.some((line) => line.startsWith("stored    72 turns of 2"))).toBe(true);
  await tour({ client, conversations, reads: 50, print });
  expect(lines).toContain("cleared   36 turns of an earlier run");
});
