/**
 * A process to be killed. Says what the store holds, then writes without end and says of each write
 * that it begins and that it was acknowledged. Every line is one system call, so it outlives us.
 */
import { writeSync } from "node:fs";
import { UnifiedMemoryManager } from "../../src/manager/unified-memory-manager.ts";
import { CRASH_KEYS, WORKERS, isRemoval } from "./crash-ledger.ts";
import type { CrashLine } from "./crash-ledger.ts";

const STDOUT = 1;

function say(line: CrashLine): void {
  writeSync(STDOUT, `${JSON.stringify(line)}\n`);
}

const [config, first] = process.argv.slice(2);
if (config === undefined || first === undefined) throw new Error("needs a config and a number");

const memory = new UnifiedMemoryManager(JSON.parse(config));
await memory.initialize();
const values = await memory.getMany<number>(CRASH_KEYS, { consistency: "latest" });
say({ kind: "state", values: values.map((value) => value ?? null) });

/** Each worker has keys of its own, so the writes of one key are one after another. */
async function write(worker: number): Promise<never> {
  const keys = CRASH_KEYS.filter((_, index) => index % WORKERS === worker);
  for (let n = Number(first); ; n += 1) {
    const key = keys[n % keys.length] ?? "";
    const value = isRemoval(n) ? null : n;
    say({ kind: "begin", key, value });
    await (value === null ? memory.delete(key) : memory.set(key, value, { tierHint: "l0" }));
    say({ kind: "acknowledged", key, value });
  }
}

await Promise.all(Array.from({ length: WORKERS }, (_, worker) => write(worker)));
