import pg from "pg";

type TextParser = (text: string) => unknown;

/** Counted in `\x`, the prefix of bytea's text form. */
const HEX_START = 2;

const keepText: TextParser = (text) => text;

function parseBytes(text: string): Buffer {
  return Buffer.from(text.slice(HEX_START), "hex");
}

function parseNumberArray(text: string): (number | null)[] {
  return text === "{}"
    ? []
    : text
        .slice(1, -1)
        .split(",")
        .map((part) => (part === "NULL" ? null : Number(part)));
}

/** OID → parser where the driver's own would differ from what `Row` promises. */
const PARSERS: ReadonlyMap<number, TextParser> = new Map<number, TextParser>([
  [17, parseBytes], // bytea
  [20, Number], // int8
  [1016, parseNumberArray], // int8[]
  [1082, keepText], // date
  [1114, keepText], // timestamp
  [1184, keepText], // timestamptz
  [1186, keepText], // interval
]);

/** Parsers of one pool. The driver's global registry is left alone: others in this process use it. */
export const pgTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text" | "binary") => {
    const own = format === "binary" ? undefined : PARSERS.get(oid);
    return own ?? pg.types.getTypeParser(oid, format ?? "text");
  }) as pg.CustomTypesConfig["getTypeParser"],
};
