import { isDeepStrictEqual } from "node:util";
import type {
  BatchOperation,
  CherryClient,
  ForgetReceipt,
  MetadataFilter,
} from "@cherry-ai/client";
import { seededRandom } from "./conversation.ts";
import type { Conversation, Turn } from "./conversation.ts";

const BATCH_OPERATIONS = 500;
const READS_IN_FLIGHT = 8;
const JOB_POLL_MS = 100;

export interface TourOptions {
  /** Everything happens below the namespace of this client. */
  readonly client: CherryClient;
  readonly conversations: readonly Conversation[];
  readonly reads: number;
  readonly print: (line: string) => void;
}

/** Stores, reads, searches and forgets. Throws when the server does not do what it should. */
export async function tour(options: TourOptions): Promise<void> {
  const { client, conversations, print } = options;
  const earlier = await forgetAll(client, true);
  if (earlier.forgotten > 0) print(`cleared   ${count(earlier.forgotten)} turns of an earlier run`);
  await store(options);
  await readAtRandom(options);
  const [first] = conversations;
  if (first === undefined) throw new Error("expected at least one conversation");
  await search(client.namespace(first.id), first, print);
  await forget(options, first);
}

/** Every turn under the namespace of its conversation, many in one request. */
async function store({ client, conversations, print }: TourOptions): Promise<void> {
  const beganMs = performance.now();
  let turns = 0;
  let batches = 0;
  for (const conversation of conversations) {
    const operations = conversation.turns.map((turn): BatchOperation => ({
      type: "set",
      key: turn.key,
      value: valueOf(turn),
      metadata: { speaker: turn.speaker, session: turn.session, at: turn.at },
      tags: [`session-${turn.session}`],
    }));
    for (let from = 0; from < operations.length; from += BATCH_OPERATIONS) {
      const batch = operations.slice(from, from + BATCH_OPERATIONS);
      const results = await client.namespace(conversation.id).batch(batch);
      const failed = results.find(({ success }) => !success);
      if (failed !== undefined) throw new Error(`${failed.key}: ${failed.error?.message}`);
      turns += results.length;
      batches += 1;
    }
  }
  print(
    `stored    ${count(turns)} turns of ${conversations.length} conversations in ${batches} batches, ${rate(turns, beganMs)}`,
  );
}

function valueOf(turn: Turn): { readonly speaker: string; readonly text: string } {
  return { speaker: turn.speaker, text: turn.text };
}

/** Single reads in random order; each must be what was stored. */
async function readAtRandom({ client, conversations, reads, print }: TourOptions): Promise<void> {
  const stored = conversations.flatMap(({ id, turns }) => turns.map((turn) => ({ id, turn })));
  const random = seededRandom(1);
  const tiers = new Map<string, number>();
  const beganMs = performance.now();
  let left = reads;
  const reader = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const one = stored[Math.floor(random() * stored.length)];
      if (one === undefined) throw new Error("expected at least one turn");
      const item = await client.namespace(one.id).getItem(one.turn.key);
      if (item === undefined || !isDeepStrictEqual(item.value, valueOf(one.turn)))
        throw new Error(`${one.id} ${one.turn.key} was not read as it was stored`);
      tiers.set(item.tier, (tiers.get(item.tier) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: READS_IN_FLIGHT }, reader));
  const hit = [...tiers].map(([tier, hits]) => `${tier} ${count(hits)}`).toSorted();
  print(
    `read      ${count(reads)} at random, all as stored, ${rate(reads, beganMs)}; from ${hit.join(", ")}`,
  );
}

/** By pattern, by metadata, and by both; each must find what the input has. */
async function search(
  client: CherryClient,
  { id, turns }: Conversation,
  print: (line: string) => void,
): Promise<void> {
  const speaker = turns[0]?.speaker ?? "";
  const session = turns.at(-1)?.session ?? 1;
  const searches: readonly {
    readonly pattern?: string;
    readonly metadataFilter?: MetadataFilter;
    readonly matches: (turn: Turn) => boolean;
  }[] = [
    { pattern: "session-01:*", matches: (turn) => turn.session === 1 },
    { metadataFilter: { speaker }, matches: (turn) => turn.speaker === speaker },
    {
      pattern: "*:turn-00?",
      metadataFilter: { session: { $gte: session }, speaker: { $ne: speaker } },
      matches: (turn) =>
        /:turn-00.$/.test(turn.key) && turn.session >= session && turn.speaker !== speaker,
    },
  ];
  for (const { matches, ...request } of searches) {
    const found: string[] = [];
    const beganMs = performance.now();
    for await (const item of client.searchAll({ ...request, limit: 100 })) found.push(item.key);
    const expected = turns.filter(matches).map(({ key }) => key);
    const text = JSON.stringify(request);
    if (!isDeepStrictEqual(found.toSorted(), expected.toSorted()))
      throw new Error(`${text} found ${found.length} turns, expected ${expected.length}`);
    const tookMs = Math.round(performance.now() - beganMs);
    print(`searched  ${id} ${text}: ${count(found.length)} turns in ${tookMs} ms`);
  }
}

/** One conversation goes; nothing of it may be left, and nothing else may be missing. */
async function forget(
  { client, conversations, print }: TourOptions,
  conversation: Conversation,
): Promise<void> {
  const scoped = client.namespace(conversation.id);
  const receipt = await forgetAll(scoped, false);
  const places = Object.entries(receipt.places).map(([place, state]) => `${place} ${state}`);
  print(`forgot    ${conversation.id}: ${count(receipt.forgotten)} turns (${places.join(", ")})`);
  const left = await whatIsLeft(scoped, conversation);
  print(
    `left      get ${left.got}, search ${left.found}, export ${left.exported}, count ${left.counted}`,
  );
  if (Object.values(left).some((number) => number !== 0))
    throw new Error(`something of ${conversation.id} is left`);
  const others = conversations.filter((one) => one !== conversation);
  for (const { id, turns } of others) {
    const kept = await countItems(client.namespace(id));
    if (kept !== turns.length)
      throw new Error(`${id}: expected ${turns.length} turns to stay, found ${kept}`);
  }
  print(`kept      all turns of the other ${others.length} conversations`);
}

async function whatIsLeft(
  client: CherryClient,
  { turns }: Conversation,
): Promise<{ got: number; found: number; exported: number; counted: number }> {
  const left = { got: 0, found: 0, exported: 0, counted: await countItems(client) };
  for (let from = 0; from < turns.length; from += BATCH_OPERATIONS) {
    const keys = turns.slice(from, from + BATCH_OPERATIONS).map(({ key }) => key);
    const results = await client.batch(keys.map((key) => ({ type: "get", key })));
    left.got += results.filter(({ found, success }) => found || !success).length;
  }
  for await (const item of client.searchAll({ pattern: "*" }))
    left.found += item.key === "" ? 0 : 1;
  for await (const line of client.export()) left.exported += line.key === "" ? 0 : 1;
  return left;
}

/** A dry run of forgetting everything counts without changing anything. */
async function countItems(client: CherryClient): Promise<number> {
  return (await client.forget({ pattern: "*", dryRun: true })).forgotten;
}

/** Large selections are forgotten in the background: waits for the end. */
async function forgetAll(client: CherryClient, below: boolean): Promise<ForgetReceipt> {
  const receipt = await client.forget({ pattern: "*", below });
  if (receipt.job === undefined) return receipt;
  for (;;) {
    const job = await client.job(receipt.job);
    if (job.state === "failed") throw new Error(`forgetting failed: ${job.error}`);
    if (job.state === "done") return { ...receipt, forgotten: job.forgotten };
    await new Promise((resolve) => setTimeout(resolve, JOB_POLL_MS));
  }
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}

function rate(things: number, beganMs: number): string {
  const perSecond = (things / Math.max(1, performance.now() - beganMs)) * 1000;
  return `${count(Math.round(perSecond))}/s`;
}
