import { expect, it } from "vitest";
import { placesOf } from "./log-place.ts";

it("reads what has ended and what has not begun", () => {
  expect(placesOf("735:741:735,738")).toEqual({ settled: 735, unborn: 741 });
  expect(placesOf("10:10:")).toEqual({ settled: 10, unborn: 10 });
});

it("refuses what is no snapshot", () => {
  for (const text of ["", "10", "10:", "a:b:", "99999999999999999999:1:"])
    expect(() => placesOf(text)).toThrow(/snapshot/u);
});
