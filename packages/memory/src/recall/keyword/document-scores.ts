import { BM25_K1, inverseDocumentFrequency, termWeight } from "./bm25.ts";
import type { PostingList, TopRequest } from "./top-documents.ts";

export interface ScoredEntry {
  readonly document: number;
  readonly length: number;
  readonly score: number;
}

/**
 * What is known of the scores so far. Flat lists by slot, not an object a document: a query may meet
 * a hundred thousand.
 */
export class DocumentScores {
  readonly #request: TopRequest;
  readonly #idf: readonly number[];
  readonly #slots = new Map<number, number>();
  readonly #documents: number[] = [];
  readonly #lengths: number[] = [];
  readonly #scores: number[] = [];
  /** Slots of which every term is known. */
  readonly #completed = new Set<number>();

  constructor(request: TopRequest) {
    this.#request = request;
    const { documents } = request.statistics;
    this.#idf = request.frequencies.map((held) => inverseDocumentFrequency(documents, held));
  }

  /** Each term comes once, but to documents of which every term is known already. */
  add(terms: readonly number[], lists: readonly PostingList[]): void {
    const { excluded, statistics } = this.#request;
    const { averageLength } = statistics;
    terms.forEach((term, at) => {
      const list = lists[at];
      list?.documents.forEach((document, place) => {
        if (excluded.has(document)) return;
        const length = list.lengths[place] ?? 0;
        const slot = this.#slotOf(document, length);
        if (this.#completed.has(slot)) return;
        const weight = termWeight(list.frequencies[place] ?? 0, length, averageLength);
        this.#scores[slot] = (this.#scores[slot] ?? 0) + (this.#idf[term] ?? 0) * weight;
      });
    });
  }

  /** Of these every term is known now. */
  complete(documents: readonly number[]): void {
    for (const document of documents) {
      const slot = this.#slots.get(document);
      if (slot !== undefined) this.#completed.add(slot);
    }
  }

  /** More than any document can have of these terms. */
  upperBound(terms: readonly number[]): number {
    return terms.reduce((sum, term) => sum + (this.#idf[term] ?? 0) * (BM25_K1 + 1), 0);
  }

  /** Not known in full yet: as many as are wanted, best by what is known of them. */
  promising(): readonly number[] {
    return this.#open(this.#best(this.#allSlots(), this.#request.limit));
  }

  /** Not known in full yet, with this score at least so far. */
  within(scoreMin: number): readonly number[] {
    return this.#open(this.#allSlots().filter((slot) => (this.#scores[slot] ?? 0) >= scoreMin));
  }

  /** The score of the last wanted document among those whose score is known; -∞ when they are fewer. */
  threshold(): number {
    const known = Float64Array.from([
      ...this.#request.rivals,
      ...[...this.#completed].map((slot) => this.#scores[slot] ?? 0),
    ]).sort();
    return known[known.length - this.#request.limit] ?? Number.NEGATIVE_INFINITY;
  }

  /** When every term was scanned. */
  everything(): { readonly entries: readonly ScoredEntry[]; readonly complete: boolean } {
    const { keep, limit } = this.#request;
    const best = this.#best(this.#allSlots(), Math.max(keep, limit));
    return {
      entries: best.map((slot) => this.#entry(slot)),
      complete: best.length === this.#slots.size,
    };
  }

  /** When all that can be among the wanted are known. */
  wanted(): { readonly entries: readonly ScoredEntry[]; readonly complete: boolean } {
    const best = this.#best([...this.#completed], this.#request.limit);
    return { entries: best.map((slot) => this.#entry(slot)), complete: false };
  }

  #allSlots(): readonly number[] {
    return [...this.#documents.keys()];
  }

  #open(slots: readonly number[]): readonly number[] {
    return slots
      .filter((slot) => !this.#completed.has(slot))
      .map((slot) => this.#documents[slot] ?? 0);
  }

  /** Sorts only what is at or above the last score that is wanted. */
  #best(slots: readonly number[], count: number): readonly number[] {
    const score = (slot: number): number => this.#scores[slot] ?? 0;
    let candidates = slots;
    if (slots.length > count) {
      const sorted = Float64Array.from(slots, score).sort();
      const least = sorted[sorted.length - count] ?? 0;
      candidates = slots.filter((slot) => score(slot) >= least);
    }
    return candidates
      .toSorted((a, b) => score(b) - score(a) || this.#documentOf(a) - this.#documentOf(b))
      .slice(0, count);
  }

  #documentOf(slot: number): number {
    return this.#documents[slot] ?? 0;
  }

  #entry(slot: number): ScoredEntry {
    return {
      document: this.#documentOf(slot),
      length: this.#lengths[slot] ?? 0,
      score: this.#scores[slot] ?? 0,
    };
  }

  #slotOf(document: number, length: number): number {
    const known = this.#slots.get(document);
    if (known !== undefined) return known;
    const slot = this.#documents.length;
    this.#slots.set(document, slot);
    this.#documents.push(document);
    this.#lengths.push(length);
    this.#scores.push(0);
    return slot;
  }
}
