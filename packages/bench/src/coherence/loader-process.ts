/** One of the servers that all miss the same key at once. */
import { setTimeout as sleep } from "node:timers/promises";
import { serve } from "./crew.ts";
import type { Servers } from "./needs.ts";
import { openServer } from "./open.ts";

export interface LoaderOrder {
  readonly key: string;
  readonly callers: number;
}

export interface LoaderAnswer {
  /** How often the loader was called in this process. */
  readonly calls: number;
  /** Distinct values that callers got. */
  readonly values: readonly string[];
}

/** As long as a model's answer takes, about: everybody comes while it runs. */
const LOAD_MS = 200;

const servers = JSON.parse(process.argv[2] ?? "") as Servers;
const memory = await openServer({ ...servers, objects: true, bytes: true });

async function load({ key, callers }: LoaderOrder): Promise<LoaderAnswer> {
  let calls = 0;
  const loader = async (): Promise<string> => {
    calls += 1;
    await sleep(LOAD_MS);
    return `${key} by ${process.pid}`;
  };
  const got = await Promise.all(
    Array.from({ length: callers }, () => memory.getOrSet(key, loader)),
  );
  return { calls, values: [...new Set(got)] };
}

serve(load, () => memory.close());
