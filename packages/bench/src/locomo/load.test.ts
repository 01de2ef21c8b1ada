import { describe, expect, test } from "vitest";
import { evidenceIds, parseConversations, parseTime } from "./load.ts";

const sample = (qa: readonly unknown[]): string =>
  JSON.stringify([
    {
      sample_id: "conv-1",
      conversation: {
        speaker_a: "Ann",
        speaker_b: "Bob",
        session_10_date_time: "1:56 pm on 8 May, 2023",
        session_10: [{ speaker: "Ann", dia_id: "D10:1", text: "Later" }],
        session_2_date_time: "12:05 am on 1 June, 2023",
        session_2: [
          { speaker: "Ann", dia_id: "D2:1", text: "Look!", blip_caption: "a photo of a dog" },
          { speaker: "Bob", dia_id: "D2:2", text: "Nice?" },
        ],
        session_3_date_time: "1:56 pm on 8 May, 2023",
      },
      qa,
    },
  ]);

describe("a conversation", () => {
  test("has its turns by session number, captions on a line of their own, times in UTC", () => {
    const [conversation] = parseConversations(sample([]));
    expect(conversation?.turns).toEqual([
      {
        id: "D2:1",
        session: 2,
        position: 0,
        speaker: "Ann",
        text: "Look!\na photo of a dog",
        atMs: Date.UTC(2023, 5, 1, 0, 5),
      },
      {
        id: "D2:2",
        session: 2,
        position: 1,
        speaker: "Bob",
        text: "Nice?",
        atMs: Date.UTC(2023, 5, 1, 0, 5),
      },
      {
        id: "D10:1",
        session: 10,
        position: 0,
        speaker: "Ann",
        text: "Later",
        atMs: Date.UTC(2023, 4, 8, 13, 56),
      },
    ]);
  });

  test("drops evidence that is no turn, and questions left without", () => {
    const [conversation] = parseConversations(
      sample([
        { question: "one?", category: 1, evidence: ["D:2:01; D2:2", "D9:9", "D2:1"] },
        { question: "two?", category: 2, evidence: ["D9:9"] },
        { question: "three?", category: 5 },
      ]),
    );
    expect(conversation?.questions).toEqual([
      { text: "one?", category: "multi-hop", evidence: ["D2:1", "D2:2"] },
    ]);
  });

  test("is refused with a category that is none", () => {
    const file = sample([{ question: "one?", category: 6, evidence: ["D2:1"] }]);
    expect(() => parseConversations(file)).toThrow(/category 6/u);
  });
});

test.each([
  [["D8:6; D9:17"], ["D8:6", "D9:17"]],
  [["D9:1 D4:4 D4:6"], ["D9:1", "D4:4", "D4:6"]],
  [
    ["D:11:26", "D30:05"],
    ["D11:26", "D30:5"],
  ],
  [["D", "", "D1:x"], []],
])("%j are the ids %j", (written, ids) => {
  expect(evidenceIds(written)).toEqual(ids);
});

test.each([
  ["1:56 pm on 8 May, 2023", Date.UTC(2023, 4, 8, 13, 56)],
  ["12:09 am on 13 September, 2023", Date.UTC(2023, 8, 13, 0, 9)],
  ["12:00 pm on 1 January, 2024", Date.UTC(2024, 0, 1, 12)],
  ["yesterday", undefined],
  [undefined, undefined],
])("%j is read", (written, expected) => {
  expect(parseTime(written)).toBe(expected);
});
