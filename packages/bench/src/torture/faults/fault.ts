import type { Random } from "@cherry-ai/memory";
import type { ServerProcess } from "../servers/server-process.ts";
import type { Stage } from "../stage.ts";

export interface FaultContext {
  readonly stage: Stage;
  readonly random: Random;
  readonly boundMs: number;
  sleep(delayMs: number): Promise<void>;
  /** Asks a server for every key; what it answers is judged like any other read. */
  readEverything(server: ServerProcess): Promise<void>;
}

export interface Fault {
  readonly name: string;
  readonly about: string;
  readonly needsRedis: boolean;
  /** The servers that run serve on: at most this share of what they are asked may fail. */
  readonly failedShareMax?: number;
  strike(context: FaultContext): Promise<void>;
}

/** A server for a fault to hit; at least one is always left. */
export function pickServer({ stage, random }: FaultContext): ServerProcess {
  const { present } = stage;
  const server = present[Math.floor(random() * present.length)] ?? stage.servers[0];
  if (server === undefined) throw new Error("there is no server");
  return server;
}

/** Between the two, whole milliseconds. */
export function between(random: Random, least: number, most: number): number {
  return Math.round(least + random() * (most - least));
}
