import { connect as connectPlain } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { RedisNode } from "./redis-url.ts";

/** Any answer in Redis' own protocol, an error included. */
const ANSWER = /^[+-]/;
/** The first byte of a TLS record that says what is wrong. */
const TLS_ALERT = 0x15;

const WANTS_TLS = "it speaks TLS and the URL does not; write rediss:// in REDIS_URL";
const WANTS_PLAIN = "it does not speak TLS and the URL does; write redis:// in REDIS_URL";

/** Resolves with what came first: bytes, a TLS session, the end. */
function firstSign(
  socket: Socket,
  withinMs: number,
  hello: (() => void) | undefined,
): Promise<Buffer | "secure" | "ended"> {
  return new Promise((resolve) => {
    const done = (sign: Buffer | "secure" | "ended"): void => {
      socket.destroy();
      resolve(sign);
    };
    socket.setTimeout(withinMs, () => done("ended"));
    socket.on("error", () => done("ended"));
    socket.on("close", () => done("ended"));
    socket.on("secureConnect", () => done("secure"));
    socket.on("data", done);
    if (hello !== undefined) socket.on("connect", hello);
  });
}

/** The remedy where a server speaks TLS and we do not, or the other way round; undefined: neither. */
export async function speaksOtherwise(
  node: RedisNode,
  weSpeakTls: boolean,
  withinMs: number,
): Promise<string | undefined> {
  const plain = connectPlain({ ...node });
  const sign = await firstSign(plain, withinMs, () => plain.write("PING\r\n"));
  const answersPlain = Buffer.isBuffer(sign) && ANSWER.test(sign.toString("latin1"));
  if (weSpeakTls) return answersPlain ? WANTS_PLAIN : undefined;
  if (answersPlain) return undefined;
  if (Buffer.isBuffer(sign) && sign[0] === TLS_ALERT) return WANTS_TLS;
  // Only the shape of the greeting matters here; nothing is sent over it.
  const secure = connectTls({ ...node, rejectUnauthorized: false });
  return (await firstSign(secure, withinMs, undefined)) === "secure" ? WANTS_TLS : undefined;
}
