import { expect, test } from "vitest";
import { itemParameters } from "./hot-lane.ts";

test("an item's target gives its namespace and key, decoded as express decodes them", () => {
  expect(itemParameters("/v1/namespaces/bench/items/turn-1")).toEqual({
    ns: "bench",
    key: "turn-1",
  });
  expect(itemParameters("/v1/namespaces/%2F/items/a%20b%2Fc+%C3%A9")).toEqual({
    ns: "/",
    key: "a b/c+é",
  });
});

test.each([
  "/v1/namespaces/a/items/k?consistency=latest",
  "/v1/namespaces/a/items/k#f",
  "/v1/namespaces/a/items/k/",
  "/v1/namespaces/a/items/",
  "/v1/namespaces//items/k",
  "/V1/namespaces/a/items/k",
  "/v1/namespaces/a/b/items/k",
  "/v1/namespaces/a/items/k%",
  "/v1/namespaces/a/items/%ff",
  "/v1/namespaces/a/items/\u00a0",
  "http://localhost/v1/namespaces/a/items/k",
])("%s is left to express", (target) => {
  expect(itemParameters(target)).toBeUndefined();
});
