import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeMessage, encodeChanges, encodeClear, encodeWake } from "./bus-message.ts";

const WAKE = [{ kind: "wake" }];

test("changes, clears and calls to read the log come through", () => {
  const changes = fc.array(
    fc.record({ namespace: fc.string(), key: fc.string(), version: fc.maxSafeNat() }),
  );
  fc.assert(
    fc.property(changes, fc.string(), fc.boolean(), (made, namespace, below) => {
      expect(decodeMessage(encodeChanges(made))).toEqual(
        made.map(({ version, ...ref }) => ({ kind: "change", ref, version })),
      );
      expect(decodeMessage(encodeClear({ namespace, below, version: 5 }))).toEqual([
        { kind: "clear", namespace, below, version: 5 },
      ]);
    }),
  );
  expect(decodeMessage(encodeWake())).toEqual(WAKE);
});

test("what cannot be read only says that something happened", () => {
  const wrong = ["", "{", "null", "7", '{"f":2,"c":[["n","k",1]]}', '{"f":1,"clear":["n",1,1]}'];
  for (const text of wrong) expect(decodeMessage(text)).toEqual(WAKE);
  expect(decodeMessage('{"f":1,"c":[["n","k","1"],7]}')).toEqual([...WAKE, ...WAKE]);
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(Array.isArray(decodeMessage(text))).toBe(true);
    }),
  );
});
