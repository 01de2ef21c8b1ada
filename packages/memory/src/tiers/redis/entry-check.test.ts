import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CHECK_START, checkBytes, checkEnd, checkText } from "./entry-check.ts";

test("it is CRC-32, in one go or in parts", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat(), (bytes, where) => {
      const at = bytes.length === 0 ? 0 : where % bytes.length;
      const part = checkBytes(CHECK_START, bytes, 0, at);
      expect(checkEnd(checkBytes(part, bytes, at, bytes.length))).toBe(crc32(bytes));
    }),
  );
});

test("Latin text counts as its bytes, and other text tells apart what differs", () => {
  expect(checkEnd(checkText(CHECK_START, "key-1"))).toBe(crc32(Buffer.from("key-1")));
  const of = (text: string): number => checkEnd(checkText(CHECK_START, text));
  expect(of("\u0141")).not.toBe(of("A"));
  expect(of("日本")).not.toBe(of("日木"));
});
