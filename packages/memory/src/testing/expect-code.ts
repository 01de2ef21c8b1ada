import assert from "node:assert/strict";
import { isMemoryError } from "../model/errors.ts";
import type { ErrorCode, MemoryError } from "../model/errors.ts";

function checkCode(error: unknown, code: ErrorCode, what: string): MemoryError {
  if (isMemoryError(error) && error.code === code) return error;
  const got = isMemoryError(error) ? `${error.code} (${error.message})` : String(error);
  throw new assert.AssertionError({
    message: `${what}: expected the error ${code}, got ${got}`,
    actual: got,
    expected: code,
  });
}

/** Fails unless `work` rejects or throws with this code; resolves to the error. */
export async function expectCode(
  code: ErrorCode,
  work: () => unknown,
  what = "the call",
): Promise<MemoryError> {
  let answer: unknown;
  try {
    answer = await work();
  } catch (error) {
    return checkCode(error, code, what);
  }
  throw new assert.AssertionError({
    message: `${what}: expected the error ${code}, but it succeeded`,
    actual: answer,
    expected: code,
  });
}
