import type { Server } from "node:http";
import type { Clock, MemoryManager } from "@cherry-ai/memory";
import type { ServerState } from "./server-state.ts";

/** Together below the 20 seconds that a supervisor waits before it kills. */
export interface DrainBounds {
  /** Between "not ready" and "not listening", so that a balancer sees it first. */
  readonly noticeMs: number;
  /** Then requests in flight may finish for this long; what is left is cut. */
  readonly requestsMs: number;
  /** Then the memory closes. */
  readonly closeMs: number;
}

export const DRAIN_BOUNDS: DrainBounds = Object.freeze({
  noticeMs: 3_000,
  requestsMs: 11_000,
  closeMs: 4_000,
});

/** Without a balancer nobody needs the notice. */
export const LOCAL_DRAIN_BOUNDS: DrainBounds = Object.freeze({ ...DRAIN_BOUNDS, noticeMs: 0 });

const IDLE_CHECK_MS = 50;
/** Connections on which nothing was asked for this long have no request to lose. */
const QUIET_MS = 1_000;

export interface DrainReport {
  /** Requests that were cut because they took too long. */
  readonly cut: number;
  /** Whether the memory closed in time. */
  readonly closed: boolean;
}

/** Says no to new work, finishes what was begun, closes everything: in this order, within bounds. */
export async function drain(
  parts: {
    readonly server: Server;
    readonly state: ServerState;
    readonly memory: MemoryManager;
    readonly clock: Clock;
  },
  bounds: DrainBounds,
): Promise<DrainReport> {
  const { server, state, memory, clock } = parts;
  state.startDrain();
  if (bounds.noticeMs > 0) await clock.sleep(bounds.noticeMs);
  let listening = true;
  server.close(() => {
    listening = false;
  });
  const deadlineMs = clock.monotonicMs() + bounds.requestsMs;
  let busyAtMs = clock.monotonicMs();
  while (listening && clock.monotonicMs() < deadlineMs) {
    // Connections whose answer began before the drain were promised to be kept.
    server.closeIdleConnections();
    await clock.sleep(IDLE_CHECK_MS);
    if (state.inFlight > 0) busyAtMs = clock.monotonicMs();
    // Node counts a connection that was opened ahead and never used as busy.
    else if (clock.monotonicMs() - busyAtMs >= QUIET_MS) break;
  }
  const cut = state.inFlight;
  server.closeAllConnections();
  const closed = await Promise.race([
    memory.close().then(() => true),
    clock.sleep(bounds.closeMs).then(() => false),
  ]);
  return { cut, closed };
}
