/** Why the text cannot be a key, a tag or metadata; undefined = it can. */
export function textFault(text: string): string | undefined {
  if (text.includes("\u0000")) return "contains NUL (U+0000)";
  if (!text.isWellFormed()) return "contains a lone surrogate, which has no UTF-8 form";
  return undefined;
}

/** Whether the text needs more bytes than allowed; counts them only when that is in doubt. */
export function exceedsBytes(text: string, bytesMax: number): boolean {
  const { length } = text;
  // One UTF-16 unit is 1 to 3 bytes of UTF-8.
  if (length * 3 <= bytesMax) return false;
  return length > bytesMax || Buffer.byteLength(text) > bytesMax;
}

/** Text for an error message: quoted, and cut so that a message stays readable. */
export function quote(text: unknown): string {
  const SHOWN_MAX = 60;
  if (typeof text !== "string") return describe(text);
  return text.length <= SHOWN_MAX
    ? JSON.stringify(text)
    : `${JSON.stringify(text.slice(0, SHOWN_MAX))}…`;
}

/** What kind of thing a value is, in an error message. */
export function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") {
    const name: unknown = Reflect.getPrototypeOf(value)?.constructor?.name;
    return typeof name === "string" && name !== "" && name !== "Object" ? `a ${name}` : "an object";
  }
  if (typeof value === "undefined") return "undefined";
  if (typeof value === "number") return String(value);
  return `a ${typeof value}`;
}

/** Order of code points, which is the order of UTF-8 bytes and of PostgreSQL's COLLATE "C". */
export function compareText(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return rank(a) - rank(b);
  }
  return left.length - right.length;
}

/** Surrogates stand for code points above all others, but as UTF-16 units sort below U+E000. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}
