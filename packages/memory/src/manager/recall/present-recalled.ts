import type { ItemRecord } from "../../model/item.ts";
import { contextBlock } from "../../recall/context-block.ts";
import type { ContextTurn } from "../../recall/context-block.ts";
import { memoryIn } from "../../recall/memory-item.ts";
import type { MemoryValue } from "../../recall/memory-item.ts";
import type { Ranking } from "../../recall/ranking/rank.ts";
import { refId } from "../../tiers/tier.ts";
import type { Core } from "../core.ts";
import { decodeRecord } from "../decode-record.ts";
import type { CheckedRecall } from "./check-recall.ts";
import type { FoundTurn } from "./find-turns.ts";
import type { RecallAnswer, RecalledItem, RecalledMemory } from "./memories.ts";

/** Items read with one statement. */
const READ_AT_ONCE = 1_000;

/** What was found and ranked, before it is read in full. */
export interface RankedTurns {
  readonly found: readonly FoundTurn[];
  readonly ranking: Ranking;
  /** Of `found`, best first: what may be answered with. */
  readonly order: readonly number[];
}

interface Shown {
  readonly recalled: RecalledMemory;
  readonly turn: ContextTurn;
}

/** Reads the best in full, with the turns around them: whatever went meanwhile is left out. */
export async function presentRecalled(
  core: Core,
  ranked: RankedTurns,
  request: CheckedRecall,
): Promise<Pick<RecallAnswer, "items" | "context" | "tokens">> {
  const around = new Surroundings(ranked.found);
  const read = new Map<string, Shown>();
  const items: RecalledItem[] = [];
  const groups: { readonly turn: ContextTurn; readonly neighbours: readonly ContextTurn[] }[] = [];
  let from = 0;
  while (items.length < request.limit && from < ranked.order.length) {
    const some = ranked.order.slice(from, from + request.limit - items.length);
    from += some.length;
    const besides = some.map((at) => around.of(at, request.neighbours));
    await readShown(
      core,
      [...some, ...besides.flat()].map((at) => ranked.found[at]),
      read,
    );
    for (const [place, at] of some.entries()) {
      const hit = shownAt(ranked, read, at);
      if (hit === undefined) continue;
      const neighbours = (besides[place] ?? []).flatMap((one) => shownAt(ranked, read, one) ?? []);
      items.push(itemOf(ranked, at, { hit, neighbours, request }));
      groups.push({ turn: hit.turn, neighbours: neighbours.map(({ turn }) => turn) });
    }
  }
  return { items, ...contextBlock(groups, request.tokenBudget) };
}

function itemOf(
  { ranking }: RankedTurns,
  at: number,
  {
    hit,
    neighbours,
    request,
  }: {
    readonly hit: Shown;
    readonly neighbours: readonly Shown[];
    readonly request: CheckedRecall;
  },
): RecalledItem {
  return {
    ...hit.recalled,
    score: ranking.scores[at] ?? 0,
    neighbours: neighbours.map(({ recalled }) => recalled),
    ...(request.explain ? { signals: { ...ranking.contributions(at) } } : {}),
  };
}

function shownAt(
  { found }: RankedTurns,
  read: ReadonlyMap<string, Shown>,
  at: number,
): Shown | undefined {
  const turn = found[at]?.turn;
  return turn && read.get(refId(turn));
}

/** With one statement. The authority is asked again: an item may be gone since it was found. */
async function readShown(
  core: Core,
  wanted: readonly (FoundTurn | undefined)[],
  into: Map<string, Shown>,
): Promise<void> {
  const turns = wanted.flatMap((found) => found?.turn ?? []);
  const missing = new Map(turns.map((turn) => [refId(turn), turn]));
  for (const id of into.keys()) missing.delete(id);
  const refs = [...missing.values()].map(({ namespace, key }) => ({ namespace, key }));
  for (let from = 0; from < refs.length; from += READ_AT_ONCE) {
    const records = await core.authority.getMany(refs.slice(from, from + READ_AT_ONCE));
    for (const record of records) {
      // What was written again since may say something else by now.
      if (record === undefined || missing.get(refId(record))?.version !== record.version) continue;
      const shown = shownOf(core, record);
      if (shown !== undefined) into.set(refId(record), shown);
    }
  }
}

function shownOf(core: Core, record: ItemRecord): Shown | undefined {
  const { value, metadata } = decodeRecord(core.codec, record);
  const memory = memoryIn(value);
  if (memory === undefined) return undefined;
  core.accesses.record(record);
  const { memoryFormat: _, order, ...fields }: MemoryValue = memory;
  const { key: id, version } = record;
  const { at, text, speaker } = fields;
  return {
    recalled: { id, ...fields, version: String(version), metadata },
    turn: { id, at, order, text, ...(speaker === undefined ? {} : { speaker }) },
  };
}

/** Who stands around whom among the turns that were ranked. */
class Surroundings {
  readonly #byPlace = new Map<string, number>();
  readonly #found: readonly FoundTurn[];

  constructor(found: readonly FoundTurn[]) {
    this.#found = found;
    for (const [at, { turn, position }] of found.entries())
      this.#byPlace.set(placeId(turn.facts.sessionId, position), at);
  }

  /** Up to `reach` to each side, in order. */
  of(at: number, reach: number): readonly number[] {
    const { turn, position } = this.#found[at] ?? {};
    if (turn?.facts.sessionId === undefined || position === undefined) return [];
    const side = (step: number): number[] => {
      const beside: number[] = [];
      for (let far = 1; far <= reach; far += 1) {
        const next = this.#byPlace.get(placeId(turn.facts.sessionId, position + step * far));
        if (next === undefined) break;
        beside.push(next);
      }
      return beside;
    };
    return [...side(-1).reverse(), ...side(1)];
  }
}

function placeId(session: string | undefined, position: number): string {
  return `${position} ${session ?? ""}`;
}
