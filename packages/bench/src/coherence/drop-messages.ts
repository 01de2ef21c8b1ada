import type { Servers } from "./needs.ts";

/** Writers that write at the same time, in one process. */
export const WRITERS = 16;
/** Each writer's own; by the time it comes back to one, the receiver has read it again. */
const KEYS_A_WRITER = 8;
export const BARE_CHANNEL = "bench:bare";

export interface DropAssignment extends Servers {
  readonly role: "writer" | "receiver";
}

export interface DropOrder {
  readonly kind: "prepare" | "run" | "report";
  readonly durationMs: number;
}

/** A change and a moment on the monotonic clock of this machine, which all its processes share. */
export type Moment = readonly [key: string, version: number, atMs: number];

export interface DropAnswer {
  /** Of the writer: when its COMMIT returned. Of the receiver: when its copy was dropped. */
  readonly moments: readonly Moment[];
  /** Of the receiver: how long each bare message took. */
  readonly bareMs: readonly number[];
}

export function keysOf(writer: number): readonly string[] {
  return Array.from({ length: KEYS_A_WRITER }, (_, index) => `of:${writer}:${index}`);
}

export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
