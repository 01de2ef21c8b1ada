import type { ItemRef } from "../../model/item.ts";
import { memoryIn } from "../../recall/memory-item.ts";
import { describeTurn } from "../../recall/ranking/turn-features.ts";
import { RANKED_TURNS_MAX } from "../../recall/ranking/turn.ts";
import { searchableText } from "../../recall/text/searchable-text.ts";
import type { IndexedDocument, KeywordIndex } from "../../tiers/keyword.ts";
import { refId } from "../../tiers/tier.ts";
import type { Core } from "../core.ts";
import { decodeRecord } from "../decode-record.ts";
import type { KnownTurn, TurnCache } from "./turn-cache.ts";

/** Of a longer session only what stands around the candidates is read. */
const SESSION_TURNS_MAX = 600;
/** Turns before and after each candidate of such a session. */
const REACH = 10;
/** Turns read with one statement. */
const READ_AT_ONCE = 1_000;

/** A turn that may answer: found by words, by meaning, or both. */
export interface Candidate extends ItemRef {
  readonly version: number;
  /** As the index names it; undefined: of no session. */
  readonly session: string | undefined;
  /** undefined: not indexed yet. */
  readonly document: number | undefined;
}

/** What is ranked: the candidates with all that was said around them, in order of sessions. */
export interface FoundTurn {
  readonly turn: KnownTurn;
  /** Whole numbers in order of time; a gap tells that something lies between. */
  readonly position: number;
}

/** The candidates, best first, with their sessions, as many turns as can be ranked at once. */
export async function findTurns(
  core: Core,
  index: KeywordIndex,
  cache: TurnCache,
  request: { readonly namespace: string; readonly candidates: readonly Candidate[] },
): Promise<readonly FoundTurn[]> {
  const { namespace, candidates } = request;
  const names = candidates.flatMap(({ session }) => session ?? []);
  const sessions = [...new Set(names)];
  const whole =
    sessions.length === 0
      ? []
      : await index.sessions({
          namespace,
          sessions,
          eachMax: SESSION_TURNS_MAX + 1,
          allMax: RANKED_TURNS_MAX,
        });
  const { short, long } = bySize(whole);
  const around = await windowsOf(index, { namespace, candidates, long });
  const documents = [...short, ...around.flat()];
  const wanted = new Map<string, { readonly ref: ItemRef; readonly version: number }>();
  // Candidates first: what is cut is what stands around them.
  for (const ref of [...candidates, ...documents])
    if (wanted.size < RANKED_TURNS_MAX && !wanted.has(refId(ref)))
      wanted.set(refId(ref), { ref, version: ref.version });
  const turns = await knownTurns(core, cache, [...wanted.values()]);
  // What is not indexed yet stands among what is.
  const fresh = candidates.filter(({ document }) => document === undefined);
  return inOrder(turns, { whole: new Set([...short, ...fresh].map(refId)), around });
}

function bySize(documents: readonly IndexedDocument[]): {
  readonly short: readonly IndexedDocument[];
  readonly long: ReadonlySet<string>;
} {
  const counts = new Map<string, number>();
  for (const { session = "" } of documents) counts.set(session, (counts.get(session) ?? 0) + 1);
  const over = [...counts].flatMap(([name, count]) => (count > SESSION_TURNS_MAX ? [name] : []));
  const long = new Set(over);
  return { short: documents.filter(({ session = "" }) => !long.has(session)), long };
}

/** For each candidate of a long session the stretch of it in which it stands. */
async function windowsOf(
  index: KeywordIndex,
  {
    namespace,
    candidates,
    long,
  }: {
    readonly namespace: string;
    readonly candidates: readonly Candidate[];
    readonly long: ReadonlySet<string>;
  },
): Promise<readonly (readonly (ItemRef & { readonly version: number })[])[]> {
  const inLong = candidates.flatMap((candidate) =>
    candidate.document !== undefined && long.has(candidate.session ?? "")
      ? [{ ...candidate, document: candidate.document }]
      : [],
  );
  if (inLong.length === 0) return [];
  const found = await index.neighbours({
    namespace,
    below: false,
    documents: inLong.map(({ document }) => document),
    before: REACH,
    after: REACH,
  });
  const stretches = new Map(found.map(({ document, hits }) => [document, hits]));
  return inLong.map((candidate) => [candidate, ...(stretches.get(candidate.document) ?? [])]);
}

/** From the cache, the others with one statement. What is gone or no memory is left out. */
async function knownTurns(
  core: Core,
  cache: TurnCache,
  wanted: readonly { readonly ref: ItemRef; readonly version: number }[],
): Promise<readonly KnownTurn[]> {
  const known = new Map<string, KnownTurn>();
  const missing: ItemRef[] = [];
  for (const { ref, version } of wanted) {
    const turn = cache.get(ref, version);
    if (turn === undefined) missing.push({ namespace: ref.namespace, key: ref.key });
    else known.set(refId(ref), turn);
  }
  for (let from = 0; from < missing.length; from += READ_AT_ONCE)
    for (const turn of await readTurns(core, missing.slice(from, from + READ_AT_ONCE))) {
      cache.set(turn);
      known.set(refId(turn), turn);
    }
  return wanted.flatMap(({ ref }) => known.get(refId(ref)) ?? []);
}

async function readTurns(core: Core, refs: readonly ItemRef[]): Promise<readonly KnownTurn[]> {
  const records = await core.authority.getMany(refs);
  return records.flatMap((record): KnownTurn[] => {
    const value = record && decodeRecord(core.codec, record).value;
    const memory = value === undefined ? undefined : memoryIn(value);
    if (record === undefined || memory === undefined) return [];
    const { text, memoryFormat: _, ...facts } = memory;
    const { speaker, at } = memory;
    const features = describeTurn(core.reader.analyser, {
      // As much of it as is searched.
      text: searchableText(text, undefined),
      atMs: Date.parse(at),
      ...(speaker === undefined ? {} : { speaker }),
    });
    const { namespace, key, version } = record;
    return [{ namespace, key, version, facts, features }];
  });
}

/** A step beyond what the ranker takes for neighbours. */
const GAP = 10;

/** Positions by which neighbours stand one apart, and what is not known to be neighbours does not. */
function inOrder(
  turns: readonly KnownTurn[],
  {
    whole,
    around,
  }: {
    readonly whole: ReadonlySet<string>;
    readonly around: readonly (readonly ItemRef[])[];
  },
): readonly FoundTurn[] {
  const stretches = new Map<string, number[]>();
  for (const [number, stretch] of around.entries())
    for (const ref of stretch)
      stretches.set(refId(ref), [...(stretches.get(refId(ref)) ?? []), number]);
  const sorted = turns.toSorted(byTime);
  let position = 0;
  let last: KnownTurn | undefined;
  const positions = new Map<KnownTurn, number>();
  for (const turn of sorted) {
    const isNext =
      last !== undefined &&
      ((whole.has(refId(turn)) && whole.has(refId(last))) ||
        shareStretch(stretches.get(refId(turn)), stretches.get(refId(last))));
    position += isNext ? 1 : GAP;
    positions.set(turn, position);
    last = turn;
  }
  // In the order of the candidates: equal scores keep it.
  return turns.map((turn) => ({ turn, position: positions.get(turn) ?? 0 }));
}

function shareStretch(left: readonly number[] = [], right: readonly number[] = []): boolean {
  return left.some((number) => right.includes(number));
}

function byTime({ facts: left }: KnownTurn, { facts: right }: KnownTurn): number {
  const { sessionId: mine = "" } = left;
  const { sessionId: other = "" } = right;
  if (mine !== other) return mine < other ? -1 : 1;
  return Date.parse(left.at) - Date.parse(right.at) || left.order - right.order;
}
