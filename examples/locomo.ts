/**
 * Conversations in and out of Cherry Memory over HTTP: `pnpm locomo [--url URL] [--file FILE]`.
 * Reads LoCoMo where it lies beside the checkout, else makes up its own conversations; starts a
 * server of its own where none answers.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CherryClient } from "@cherry-ai/client";
import { generateConversations, readLocomo } from "./locomo/conversation.ts";
import type { Conversation } from "./locomo/conversation.ts";
import { answers, startServer } from "./locomo/server.ts";
import type { Server } from "./locomo/server.ts";
import { tour } from "./locomo/tour.ts";

const LOCOMO = fileURLToPath(new URL("../../shared/data/locomo/locomo-dev.json", import.meta.url));
const MADE_UP = { seed: 7, conversations: 3, sessions: 12, turnsPerSession: 40 };
const READS = 2000;

const USAGE = `pnpm locomo [--url URL] [--token TOKEN] [--file FILE]

  --url URL      a running server (default http://127.0.0.1:8787); where none answers, one is started
  --token TOKEN  for a server that wants one; it must allow writing below the namespace locomo
  --file FILE    conversations in LoCoMo's format`;

function loadConversations(file: string | undefined): {
  readonly conversations: readonly Conversation[];
  readonly source: string;
} {
  if (file !== undefined) return { conversations: readLocomo(file), source: file };
  if (existsSync(LOCOMO)) return { conversations: readLocomo(LOCOMO), source: "LoCoMo" };
  return { conversations: generateConversations(MADE_UP), source: "made up here" };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      url: { type: "string", default: "http://127.0.0.1:8787" },
      token: { type: "string" },
      file: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const { conversations, source } = loadConversations(values.file);
  const own: Server | undefined = (await answers(values.url)) ? undefined : await startServer();
  try {
    const url = own?.url ?? values.url;
    console.log(`server    ${url}${own === undefined ? "" : " (started for this run)"}`);
    const turns = conversations.reduce((sum, one) => sum + one.turns.length, 0);
    console.log(`input     ${conversations.length} conversations, ${turns} turns (${source})`);
    const client = new CherryClient({
      baseUrl: url,
      namespace: "locomo",
      ...(values.token === undefined ? {} : { token: values.token }),
    });
    await tour({ client, conversations, reads: READS, print: (line) => console.log(line) });
  } finally {
    await own?.stop();
  }
}

await main();
