import { connect as connectPlain } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectionOptions } from "node:tls";
import { redisFault } from "./redis-faults.ts";
import type { RedisNode } from "./redis-url.ts";

/** Any answer in Redis' own protocol, an error included. */
const ANSWER = /^[+-]/;
/** The first byte of a TLS record that says what is wrong. */
const TLS_ALERT = 0x15;

const WANTS_TLS = "it speaks TLS and the URL does not; write rediss:// in REDIS_URL";
const WANTS_PLAIN = "it does not speak TLS and the URL does; write redis:// in REDIS_URL";

type Sign = Buffer | Error | "secure" | "ended";

/** Resolves with what came first: bytes, an error, a TLS session, the end. */
function firstSign(
  socket: Socket,
  withinMs: number,
  hello: (() => void) | undefined,
): Promise<Sign> {
  return new Promise((resolve) => {
    const done = (sign: Sign): void => {
      socket.destroy();
      resolve(sign);
    };
    socket.setTimeout(withinMs, () => done("ended"));
    socket.on("error", done);
    socket.on("close", () => done("ended"));
    socket.on("secureConnect", () => done("secure"));
    socket.on("data", done);
    if (hello !== undefined) socket.on("connect", hello);
  });
}

/**
 * The remedy where a server speaks TLS and we do not, or the other way round; or why TLS fails, which
 * the driver keeps to itself of sentinels and of the nodes of a cluster. Undefined: it is none of these.
 */
export async function speaksOtherwise(
  node: RedisNode,
  ours: ConnectionOptions | undefined,
  withinMs: number,
): Promise<string | undefined> {
  const plain = connectPlain({ ...node });
  const sign = await firstSign(plain, withinMs, () => plain.write("PING\r\n"));
  const answersPlain = Buffer.isBuffer(sign) && ANSWER.test(sign.toString("latin1"));
  if (ours !== undefined) return answersPlain ? WANTS_PLAIN : refusal(node, ours, withinMs);
  if (answersPlain) return undefined;
  if (Buffer.isBuffer(sign) && sign[0] === TLS_ALERT) return WANTS_TLS;
  // Only the shape of the greeting matters here; nothing is sent over it.
  const secure = connectTls({ ...node, rejectUnauthorized: false });
  return (await firstSign(secure, withinMs, undefined)) === "secure" ? WANTS_TLS : undefined;
}

async function refusal(
  node: RedisNode,
  ours: ConnectionOptions,
  withinMs: number,
): Promise<string | undefined> {
  const sign = await firstSign(connectTls({ ...node, ...ours }), withinMs, undefined);
  if (!(sign instanceof Error)) return undefined;
  const fault = redisFault(sign);
  return fault.kind === "tls" ? fault.reason : undefined;
}
