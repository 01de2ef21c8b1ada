import type { Random } from "../../model/clock.ts";
import type { LeaseToken } from "../shared.ts";

const SECRET_DIGITS = 24;
const DIGITS_AT_ONCE = 12;

/** Text that no other lease has, of any server. */
export function makeLease(random: Random): string {
  let secret = "";
  while (secret.length < SECRET_DIGITS)
    secret += Math.floor(random() * 16 ** DIGITS_AT_ONCE)
      .toString(16)
      .padStart(DIGITS_AT_ONCE, "0");
  return secret;
}

/** What a token holds: the secret, and when this process knew that it had been granted. */
export function readLease(token: LeaseToken): {
  readonly secret: string;
  readonly knownMs: number;
} {
  const at = token.lastIndexOf("@");
  return { secret: token.slice(0, at), knownMs: Number(token.slice(at + 1)) };
}
