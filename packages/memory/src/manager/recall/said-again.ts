import { createHash } from "node:crypto";
import type { Codec } from "../../codec/codec.ts";
import { normaliseText } from "../../recall/text/tokens.ts";

const HASH_CHARS = 32;

/**
 * The id of what is said without one: the same for the same words by the same speaker in one session,
 * so that all who say it at once meet on one key. `after`: of the memory that came in the place of an
 * earlier one of the same words; what holds again is a memory of its own.
 */
export function saidId(
  codec: Codec,
  said: {
    readonly sessionId: string | undefined;
    readonly speaker: string | undefined;
    readonly text: string;
    readonly after: string | undefined;
  },
): string {
  const { sessionId, speaker, text, after } = said;
  const words = normaliseText(text).replace(/\s+/gu, " ").trim();
  const told = JSON.stringify([sessionId ?? null, speaker ?? null, words, after ?? null]);
  const digest = createHash("sha256").update(told).digest("base64url");
  // Under encryption a guess at the text must not be provable by its key.
  const name = codec.blindingKeyId === undefined ? digest : codec.blind(digest);
  return `said-${name.slice(0, HASH_CHARS)}`;
}
