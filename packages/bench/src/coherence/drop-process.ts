/** The writer that commits, or the receiver that holds copies of what it writes. */
import type { MemoryManager } from "@cherry-ai/memory";
import { Redis } from "ioredis";
import { PostgresAuthority } from "../../../memory/src/tiers/postgres/authority.ts";
import { ProcessTier } from "../../../memory/src/tiers/process/process-tier.ts";
import { makeTurn } from "../core/workload.ts";
import { serve } from "./crew.ts";
import { BARE_CHANNEL, WRITERS, keysOf, nowMs } from "./drop-messages.ts";
import type { DropAnswer, DropAssignment, DropOrder, Moment } from "./drop-messages.ts";
import { openServer } from "./open.ts";

const assignment = JSON.parse(process.argv[2] ?? "") as DropAssignment;
const { redisUrl } = assignment;
const writers = Array.from({ length: WRITERS }, (_, writer) => writer);
let moments: Moment[] = [];
let bareMs: number[] = [];

/** Notes when COMMIT returned, before anybody is told of it. */
function noteCommits(): void {
  const right = PostgresAuthority.prototype.write;
  PostgresAuthority.prototype.write = async function write(operations, options) {
    const results = await right.call(this, operations, options);
    const atMs = nowMs();
    for (const [index, { key }] of operations.entries()) {
      const result = results[index];
      if (result?.status === "written") moments.push([key, result.version, atMs]);
    }
    return results;
  };
}

/** Notes when a copy that was really there was dropped, and makes another. */
function noteDrops(readAgain: (key: string) => void): void {
  const right = ProcessTier.prototype.drop;
  ProcessTier.prototype.drop = function drop(namespace, key, belowVersion) {
    const wasThere = right.call(this, namespace, key, belowVersion);
    if (wasThere) {
      moments.push([key, belowVersion, nowMs()]);
      readAgain(key);
    }
    return wasThere;
  };
}

async function write(memory: MemoryManager, writer: number, untilMs: number): Promise<void> {
  for (let turn = 0; nowMs() < untilMs; turn += 1) {
    const keys = keysOf(writer);
    await memory.set(keys[turn % keys.length] ?? "", makeTurn(turn));
    // Beside the writes, so that both meet the same machine.
    await bare?.publish(BARE_CHANNEL, String(nowMs()));
  }
}

function answer(): DropAnswer {
  const reported = { moments, bareMs };
  moments = [];
  bareMs = [];
  return reported;
}

async function asWriter(memory: MemoryManager, order: DropOrder): Promise<DropAnswer> {
  if (order.kind === "prepare")
    for (const key of writers.flatMap(keysOf)) await memory.set(key, makeTurn(0));
  if (order.kind === "run") {
    moments = [];
    const untilMs = nowMs() + order.durationMs;
    await Promise.all(writers.map((writer) => write(memory, writer, untilMs)));
  }
  return order.kind === "prepare" ? { moments: [], bareMs: [] } : answer();
}

async function asReceiver(memory: MemoryManager, order: DropOrder): Promise<DropAnswer> {
  if (order.kind === "prepare") await memory.willNeed(writers.flatMap(keysOf));
  return answer();
}

const bare = redisUrl === "" ? undefined : new Redis(redisUrl);
if (assignment.role === "writer") noteCommits();
const memory = await openServer({ ...assignment, objects: false, bytes: true });
if (assignment.role === "receiver") {
  noteDrops((key) => void memory.get(key));
  bare?.on("message", (_, sentMs: string) => bareMs.push(nowMs() - Number(sentMs)));
  await bare?.subscribe(BARE_CHANNEL);
}
const work = assignment.role === "writer" ? asWriter : asReceiver;
serve(
  (order: DropOrder) => work(memory, order),
  async () => {
    bare?.disconnect();
    await memory.close();
  },
);
