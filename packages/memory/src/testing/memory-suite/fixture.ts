import assert from "node:assert/strict";
import type { Memory, MemoryManager } from "../../manager/memory.ts";
import { systemClock } from "../../model/clock.ts";
import type { SuiteCase } from "../suite.ts";

/** Gives an initialized manager with default limits; it may be the same for all cases. */
export interface MemoryMaker {
  readonly open: () => Promise<{
    readonly memory: MemoryManager;
    readonly close: () => Promise<void>;
  }>;
  /** Whether ephemeral items have an authority here. */
  readonly ephemeral: boolean;
}

export interface MemoryFixture {
  /** A namespace that no other case uses. */
  readonly memory: Memory;
  readonly manager: MemoryManager;
}

let casesOpened = 0;

export function memoryCase(
  maker: MemoryMaker,
  name: string,
  body: (fixture: MemoryFixture) => Promise<void>,
): SuiteCase {
  return {
    name,
    run: async () => {
      const { memory: manager, close } = await maker.open();
      casesOpened += 1;
      const memory = manager.namespace(["memory-suite", `${process.pid}-${casesOpened}`]);
      try {
        await body({ memory, manager });
      } finally {
        await close();
      }
    },
  };
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** Input that a caller without types can send. `JSON.parse` is how the compiler is kept out. */
export function untyped(json: string): ReturnType<typeof JSON.parse> {
  return JSON.parse(json);
}

export function isDeepFrozen(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isDeepFrozen);
}

/** Waits until absent; expiry is by the database's own clock, which no test can move. */
export async function waitUntilGone(memory: Memory, key: string): Promise<void> {
  const TRIES_MAX = 5_000;
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    if (!(await memory.exists(key, { consistency: "latest" }))) return;
    await systemClock.sleep(1);
  }
  assert.fail(`${key} did not expire`);
}
