import { connect } from "node:net";
import type { Socket } from "node:net";
import type { Clock } from "../../model/clock.ts";
import { socketAddress } from "./pg-target.ts";
import type { PgTarget } from "./pg-target.ts";

const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const CANCEL_REQUEST_CODE = 80_877_102;
const CANCEL_REQUEST_BYTES = 16;

/** What the server gave a connection for cancelling its statement. */
export interface CancelKey {
  readonly processId: number;
  readonly secretKey: number;
}

/** A host that lives accepts a connection at once; a server under load takes longer to speak. */
export interface ProbeTimeouts {
  readonly connectMs: number;
  /** Counted from the start, as the other. */
  readonly answerMs: number;
}

/**
 * Resolves true when something that speaks PostgreSQL's protocol answers within the time. An
 * SSLRequest is answered with one byte before any authentication, by poolers too, and takes none
 * of the server's connection slots.
 */
export async function answersAtAll(
  target: PgTarget,
  clock: Clock,
  timeouts: ProbeTimeouts,
): Promise<boolean> {
  const socket = connect(socketAddress(target));
  try {
    return await race(socket, SSL_REQUEST, clock, timeouts);
  } finally {
    socket.destroy();
  }
}

async function race(
  socket: Socket,
  request: Buffer,
  clock: Clock,
  { connectMs, answerMs }: ProbeTimeouts,
): Promise<boolean> {
  let answered = false;
  const settled = new AbortController();
  const end = (): void => settled.abort();
  socket.once("connect", () => void socket.write(request));
  socket.once("data", () => {
    answered = true;
    end();
  });
  socket.once("close", end);
  socket.on("error", end);
  // After each time is up, once more around the event loop: when this process itself stood still,
  // what is looked for lies in the socket unread and must win.
  const wait = async (delayMs: number): Promise<void> => {
    for (const partMs of [delayMs, 1, 1]) await clock.sleep(partMs, settled.signal);
  };
  try {
    await wait(connectMs);
    if (!socket.connecting) await wait(answerMs - connectMs);
  } catch {
    // Settled, one way or the other.
  }
  return answered;
}

/** Asks the server to cancel what a connection runs. Best effort: its outcome is not known. */
export async function cancelStatement(
  target: PgTarget,
  key: CancelKey,
  clock: Clock,
  timeoutMs: number,
): Promise<void> {
  const request = Buffer.alloc(CANCEL_REQUEST_BYTES);
  request.writeInt32BE(CANCEL_REQUEST_BYTES, 0);
  request.writeInt32BE(CANCEL_REQUEST_CODE, 4);
  request.writeInt32BE(key.processId, 8);
  request.writeInt32BE(key.secretKey, 12);
  const socket = connect(socketAddress(target));
  try {
    // The server closes without an answer, which ends the wait.
    await race(socket, request, clock, { connectMs: timeoutMs, answerMs: timeoutMs });
  } finally {
    socket.destroy();
  }
}
