import fc from "fast-check";
import { expect, test } from "vitest";
import { RedisNames, isInScope } from "./redis-names.ts";

test("a name tells which item it is of, and no other memory's name is taken for one", () => {
  const part = fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\u0000"));
  fc.assert(
    fc.property(part, part, (namespace, key) => {
      const names = new RedisNames("cherry", "e1");
      const name = names.key({ namespace, key });
      expect(names.ref(name)).toEqual({ namespace, key });
      expect(new RedisNames("cherry", "e").ref(name)).toBeUndefined();
      expect(new RedisNames("cherry2", "e1").ref(name)).toBeUndefined();
    }),
  );
});

test("what SCAN would take for a pattern is taken literally", () => {
  const names = new RedisNames("cherry", "e");
  expect(names.pattern({ namespace: "a*[b]?\\^", below: false })).toBe(
    "cherry:1:P3m7e0NbBTIW:a\\*\\[b\\]\\?\\\\\\^\u0000*",
  );
  expect(names.pattern({ namespace: "", below: true })).toBe("cherry:1:P3m7e0NbBTIW:*");
});

test("below is by whole segments", () => {
  const within = (namespace: string, below: boolean): boolean =>
    isInScope({ namespace, key: "k" }, { namespace: "users/1", below });
  expect(within("users/1", false)).toBe(true);
  expect(within("users/1/a", false)).toBe(false);
  expect(within("users/1/a", true)).toBe(true);
  expect(within("users/10", true)).toBe(false);
});
