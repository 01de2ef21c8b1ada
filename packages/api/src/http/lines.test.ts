import fc from "fast-check";
import { expect, test } from "vitest";
import { readLines } from "./lines.ts";

async function collect(pieces: readonly Uint8Array[], lineBytesMax = 1000): Promise<unknown[]> {
  const found: unknown[] = [];
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* pieces;
  }
  for await (const line of readLines(source(), lineBytesMax)) found.push(line);
  return found;
}

test("any split of a stream gives the same lines", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.jsonValue(), { maxLength: 8 }),
      fc.array(fc.nat(40), { maxLength: 20 }),
      fc.boolean(),
      async (values, sizes, ends) => {
        const text = values.map((value) => JSON.stringify(value)).join("\n") + (ends ? "\n" : "");
        const bytes = Buffer.from(values.length === 0 ? "" : text);
        const pieces: Uint8Array[] = [];
        let start = 0;
        for (const size of sizes) {
          pieces.push(bytes.subarray(start, start + size));
          start += size;
        }
        pieces.push(bytes.subarray(start));
        const expected = values.map((value) => JSON.parse(JSON.stringify(value)) as unknown);
        expect(await collect(pieces, 1_000_000)).toEqual(expected);
      },
    ),
  );
});

test("a line that is no JSON, no UTF-8 or too long is an error in its place", async () => {
  const found = await collect(
    [
      Buffer.from('{"a":1}\nnot json\n"'),
      Buffer.from([0xff]),
      Buffer.from(`"\n"${"x".repeat(20)}`),
      Buffer.from(`${"x".repeat(20)}"\n\r\n2\r\n`),
    ],
    30,
  );
  expect(found[0]).toEqual({ a: 1 });
  expect(found.slice(1, 5)).toMatchObject([
    { code: "INVALID_ARGUMENT" },
    { code: "INVALID_ARGUMENT" },
    { code: "VALUE_TOO_LARGE" },
    { code: "INVALID_ARGUMENT" },
  ]);
  expect(found[5]).toBe(2);
  expect(found).toHaveLength(6);
});
