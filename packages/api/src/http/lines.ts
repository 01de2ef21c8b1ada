import { isUtf8 } from "node:buffer";
import { MemoryError } from "@cherry-ai/memory";
import { ClientGone } from "./body.ts";

const NEWLINE = 0x0a;

/**
 * The JSON values of a stream, one a line. A line that is none is given as the error it is: the
 * others go on. A line over `lineBytesMax` is skipped to its end without being kept.
 */
export async function* readLines(
  source: AsyncIterable<Uint8Array>,
  lineBytesMax: number,
): AsyncGenerator<unknown> {
  let parts: Uint8Array[] = [];
  let length = 0;
  const take = (): unknown => {
    const line = length > lineBytesMax ? tooLong(lineBytesMax) : parseLine(parts, length);
    parts = [];
    length = 0;
    return line;
  };
  const keep = (part: Uint8Array): void => {
    length += part.length;
    if (length <= lineBytesMax) parts.push(part);
    else parts = [];
  };
  for await (const chunk of pieces(source)) {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end === -1) break;
      keep(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    if (start < chunk.length) keep(chunk.subarray(start));
  }
  if (length > 0) yield take();
}

/** A body that breaks off is nobody's fault here. */
async function* pieces(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* source;
  } catch (cause) {
    throw new ClientGone("the body broke off", { cause });
  }
}

function parseLine(parts: readonly Uint8Array[], length: number): unknown {
  const [only] = parts;
  const bytes = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, length);
  if (!isUtf8(bytes)) return new MemoryError("INVALID_ARGUMENT", "line: expected UTF-8");
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, length).toString("utf8"));
  } catch (cause) {
    return new MemoryError("INVALID_ARGUMENT", "line: expected JSON", { cause });
  }
}

function tooLong(lineBytesMax: number): MemoryError {
  return new MemoryError("VALUE_TOO_LARGE", `line: expected at most ${lineBytesMax} bytes`);
}
