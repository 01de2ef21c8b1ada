import { expect, test } from "vitest";
import { createAnalyser } from "../text/analyser.ts";
import { describeTurn } from "./turn-features.ts";

const analyser = createAnalyser();
const atMs = Date.UTC(2023, 4, 10, 19, 30);

test("says what it holds", () => {
  const features = describeTurn(analyser, {
    text: "I moved to Berlin yesterday with two dogs. Isn't it great?",
    speaker: "Anna Maria",
    atMs,
  });
  expect(features).toMatchObject({
    terms: ["move", "berlin", "yesterday", "two", "dog", "great"],
    asks: true,
    endsAsking: true,
    speakerWords: ["anna", "maria"],
    mentioned: [{ fromMs: Date.UTC(2023, 4, 9), toMs: Date.UTC(2023, 4, 9) }],
  });
  expect([...features.traits]).toEqual(expect.arrayContaining(["time", "number", "place"]));
});

test.each([
  ["Really? Yes.", true, false],
  ["Is it?!", true, true],
  ["Is it yours?\na photo of a dog", true, true],
  ["It is.", false, false],
])("%j asks: %s, ends asking: %s", (text, asks, endsAsking) => {
  expect(describeTurn(analyser, { text })).toMatchObject({ asks, endsAsking });
});

test("a text without a time speaks of none", () => {
  expect(describeTurn(analyser, { text: "yesterday, on 8 May 2023" }).mentioned).toEqual([]);
});

test("another language: words and dates alone", () => {
  const german = createAnalyser({ language: "de" });
  const features = describeTurn(german, { text: "yesterday, 2023-05-08, two", atMs });
  expect(features.traits.size).toBe(0);
  expect(features.mentioned).toEqual([
    { fromMs: Date.UTC(2023, 4, 8), toMs: Date.UTC(2023, 4, 8) },
  ]);
});
