/**
 * What each signal of the ranker is worth on LoCoMo: in memory, within the bounds of the product,
 * without its stores. The figures that count come through the public API; these take a minute.
 *
 *   node --conditions=@cherry-ai/source packages/bench/src/locomo/develop.ts --file FILE [--model FOLDER | --lexical]
 */
import { parseArgs } from "node:util";
import { LexicalSource } from "../../../memory/src/recall/embedding/lexical-source.ts";
import { LocalSource } from "../../../memory/src/recall/embedding/local/local-source.ts";
import { DEFAULT_WEIGHTS, type Weights } from "../../../memory/src/recall/ranking/weights.ts";
import { createAnalyser } from "../../../memory/src/recall/text/analyser.ts";
import { embedConversations, type Similarities } from "./embed.ts";
import { CATEGORIES, loadConversations, type Conversation } from "./load.ts";
import { DEPTHS, reportOf, type Answer, type EvidenceReport } from "./metrics.ts";
import { SimulatedRecall } from "./simulate.ts";

interface Prepared {
  readonly conversation: Conversation;
  readonly recall: SimulatedRecall;
  readonly similarities: Similarities | undefined;
}

function answersOf({ conversation, recall, similarities }: Prepared, weights: Weights): Answer[] {
  return conversation.questions.map((question) => ({
    question,
    ranked: recall.ask(question.text, {
      weights,
      ...(similarities === undefined ? {} : { similarities }),
    }),
  }));
}

function line(name: string, { recall, mrr, byCategory }: EvidenceReport): string {
  const categories = CATEGORIES.map((each) => (byCategory[each]?.recall[10] ?? 0).toFixed(1));
  const depths = DEPTHS.map((depth) => recall[depth].toFixed(1));
  return `| ${[name, ...depths, mrr.toFixed(3), ...categories].join(" | ")} |`;
}

const { values } = parseArgs({
  options: {
    file: { type: "string" },
    model: { type: "string" },
    lexical: { type: "boolean", default: false },
  },
});
if (values.file === undefined) throw new Error("which LoCoMo file? --file FILE");

const conversations = loadConversations(values.file);
const source =
  values.model !== undefined
    ? await LocalSource.open(values.model)
    : values.lexical
      ? new LexicalSource({ analyser: createAnalyser() })
      : undefined;
const similarities = source === undefined ? [] : await embedConversations(source, conversations);
await source?.close();
const prepared = conversations.map((conversation, index): Prepared => {
  const recall = new SimulatedRecall(conversation);
  return { conversation, recall, similarities: similarities[index] };
});

const report = (name: string, weights: Weights, of: readonly Prepared[] = prepared): void => {
  console.log(line(name, reportOf(of.flatMap((each) => answersOf(each, weights)))));
};
console.log(`| | R@1 | R@5 | R@10 | R@20 | MRR | ${CATEGORIES.join(" | ")} |`);
console.log(`|${" --- |".repeat(6 + CATEGORIES.length)}`);
report("words alone", { words: 1 });
report("all signals", DEFAULT_WEIGHTS);
for (const each of prepared) report(each.conversation.id, DEFAULT_WEIGHTS, [each]);
for (const name of Object.keys(DEFAULT_WEIGHTS))
  report(`without ${name}`, { ...DEFAULT_WEIGHTS, [name]: 0 });
