import { expect, test } from "vitest";
import { makeKeys, makeTurn, randomOrder } from "./workload.ts";

test("a value has exactly 1,024 bytes of JSON and is the same every time", () => {
  for (const turn of [0, 1, 999, 123_456]) {
    expect(Buffer.byteLength(JSON.stringify(makeTurn(turn)))).toBe(1024);
    expect(makeTurn(turn)).toEqual(makeTurn(turn));
  }
});

test("keys differ and the order visits all of them", () => {
  expect(new Set(makeKeys(1000)).size).toBe(1000);
  expect(new Set(randomOrder(1000, 65_536, 7)).size).toBe(1000);
});
