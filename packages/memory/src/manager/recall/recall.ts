import { MemoryError } from "../../model/errors.ts";
import { holdsNow, heldAt } from "../../recall/memory-item.ts";
import { analyseQuestion } from "../../recall/ranking/question.ts";
import type { Question } from "../../recall/ranking/question.ts";
import { rankTurns } from "../../recall/ranking/rank.ts";
import type { RankingInput } from "../../recall/ranking/turn.ts";
import type { KeywordAnswer, KeywordHit, KeywordIndex } from "../../tiers/keyword.ts";
import type { Core } from "../core.ts";
import type { Parts } from "../runtime.ts";
import type { CheckedRecall } from "./check-recall.ts";
import { findTurns } from "./find-turns.ts";
import type { Candidate, FoundTurn } from "./find-turns.ts";
import type { RecallAnswer } from "./memories.ts";
import { presentRecalled } from "./present-recalled.ts";
import type { TurnCache } from "./turn-cache.ts";

/** Candidates by words. */
const BY_WORDS = 100;
/** The same where many of them may be left out for their session or time. */
const BY_WORDS_FILTERED = 1_000;
/** Changes indexed on the way, so that what was just said stands among what was said before. */
const CATCH_UP_CHANGES = 200;

/** Memories that answer a question, from the authority and its indexes: nothing that is gone. */
export async function recallMemories(
  parts: Parts,
  cache: TurnCache,
  namespace: string,
  request: CheckedRecall,
): Promise<RecallAnswer> {
  const { core } = parts;
  const index = indexOf(core);
  const question = analyseQuestion(core.reader.analyser, request.query);
  const answer = await findByWords(core, index, { namespace, request, question });
  const candidates = answer.hits.map(candidateOf);
  const found = await findTurns(core, index, cache, { namespace, candidates });
  const ranking = rankTurns(rankingInput(core, { question, answer, found }));
  const nowMs = core.clock.wallMs();
  const order = ranking.order.filter((at) => isWanted(found[at], request, nowMs));
  const shown = await presentRecalled(core, { found, ranking, order }, request);
  return { ...shown, ...(answer.lag === undefined ? {} : { indexLag: answer.lag }) };
}

function indexOf({ authority }: Core): KeywordIndex {
  if (authority.keywords !== undefined) return authority.keywords;
  throw new MemoryError(
    "CAPABILITY_UNAVAILABLE",
    "recall: no tier of this server searches by words; use a store that does",
  );
}

async function findByWords(
  core: Core,
  index: KeywordIndex,
  {
    namespace,
    request,
    question,
  }: {
    readonly namespace: string;
    readonly request: CheckedRecall;
    readonly question: Question;
  },
): Promise<KeywordAnswer> {
  const { sessionId, fromMs, toMs, asOfMs } = request;
  const isFiltered = [sessionId, fromMs, toMs, asOfMs].some((bound) => bound !== undefined);
  const query = {
    namespace,
    below: false,
    reader: core.reader,
    terms: question.terms.map((term) => core.codec.blind(term)),
    limit: isFiltered ? BY_WORDS_FILTERED : BY_WORDS,
  };
  const answer = await index.search(query);
  const isFresh = answer.hits.some(({ document }) => document === undefined);
  if (!isFresh || answer.plan.tail > CATCH_UP_CHANGES) return answer;
  const { status } = await index.advance(core.reader, { changes: CATCH_UP_CHANGES });
  return status === "worked" ? index.search(query) : answer;
}

function candidateOf({ namespace, key, version, session, document }: KeywordHit): Candidate {
  return { namespace, key, version, session, document };
}

function rankingInput(
  { codec }: Core,
  {
    question,
    answer,
    found,
  }: {
    readonly question: Question;
    readonly answer: KeywordAnswer;
    readonly found: readonly FoundTurn[];
  },
): RankingInput {
  const { statistics } = answer;
  const frequency = (term: string): number => statistics.frequencies.get(codec.blind(term)) ?? 0;
  return {
    question,
    statistics,
    frequencies: new Map(question.terms.map((term) => [term, frequency(term)])),
    turns: found.map(({ turn: { facts, features }, position }) => ({
      features,
      position,
      atMs: Date.parse(facts.at),
      ...(facts.sessionId === undefined ? {} : { session: facts.sessionId }),
    })),
  };
}

function isWanted(found: FoundTurn | undefined, request: CheckedRecall, nowMs: number): boolean {
  if (found === undefined) return false;
  const { sessionId, fromMs = -Infinity, toMs = Infinity, asOfMs } = request;
  // Neither filter reads the text, which is not kept.
  const facts = { ...found.turn.facts, text: "" };
  const atMs = Date.parse(facts.at);
  if (sessionId !== undefined && facts.sessionId !== sessionId) return false;
  if (atMs < fromMs || atMs >= toMs) return false;
  return asOfMs === undefined ? holdsNow(facts, nowMs) : heldAt(facts, asOfMs);
}
