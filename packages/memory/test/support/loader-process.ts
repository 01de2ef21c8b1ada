/**
 * A server whose callers all want one item. Says when it is ready, calls when it is told to, says when
 * its loader is called and what its callers got. A loader without an end waits to be killed.
 */
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import type { LoadOptions } from "../../src/manager/memory.ts";
import { UnifiedMemoryManager } from "../../src/manager/unified-memory-manager.ts";
import { systemClock } from "../../src/model/clock.ts";

export interface LoaderOrder {
  readonly key: string;
  readonly value: string;
  readonly callers: number;
  /** Undefined: for ever. */
  readonly loadMs?: number;
  readonly options?: LoadOptions;
}

export type LoaderLine =
  | { readonly kind: "ready" | "load" }
  | { readonly kind: "done"; readonly values: readonly string[] };

const STDOUT = 1;

function say(line: LoaderLine): void {
  writeSync(STDOUT, `${JSON.stringify(line)}\n`);
}

async function obey({ key, value, callers, loadMs, options }: LoaderOrder): Promise<void> {
  const load = async (): Promise<string> => {
    say({ kind: "load" });
    await (loadMs === undefined ? new Promise(() => {}) : systemClock.sleep(loadMs));
    return value;
  };
  const calls = Array.from({ length: callers }, () => memory.getOrSet(key, load, options));
  say({ kind: "done", values: await Promise.all(calls) });
}

const [config] = process.argv.slice(2);
if (config === undefined) throw new Error("needs a config");

const memory = new UnifiedMemoryManager(JSON.parse(config));
await memory.initialize();
say({ kind: "ready" });
for await (const line of createInterface({ input: process.stdin })) void obey(JSON.parse(line));
await memory.close();
