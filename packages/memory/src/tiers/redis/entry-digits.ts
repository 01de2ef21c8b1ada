/** Whole numbers below 2^53 in decimal, so that Lua can read and compare them. */
export const DIGITS = 16;

const ZERO = 48;

export function digits(value: number): string {
  return String(value).padStart(DIGITS, "0");
}

/** Undefined unless exactly that many digits stand there. */
export function readDigits(bytes: Uint8Array, at: number): number | undefined {
  let value = 0;
  for (let index = at; index < at + DIGITS; index += 1) {
    const digit = (bytes[index] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}
