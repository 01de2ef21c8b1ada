const PART_CHARS = 3;
const TERM_CHARS_MIN = 4;
const SIMILARITY_MIN = 0.6;
/** Terms of the texts that stand in for one of the question. */
const STAND_INS_MAX = 3;

/** A term of the texts that resembles one that nothing holds, and how much (0.6 to 1). */
export interface StandIn {
  readonly term: string;
  readonly likeness: number;
}

/**
 * Terms that may be what a mistyped or otherwise inflected word meant: shared groups of three
 * letters, or one the beginning of the other. Only for words that occur nowhere: for others it did harm.
 */
export function standIns(unseen: string, vocabulary: Iterable<string>): StandIn[] {
  if (unseen.length < TERM_CHARS_MIN) return [];
  const parts = new Set(partsOf(unseen));
  const found: StandIn[] = [];
  for (const term of vocabulary) {
    if (term.length < TERM_CHARS_MIN || term === unseen) continue;
    const likeness = likenessOf(parts, term);
    const begins = term.startsWith(unseen) || unseen.startsWith(term);
    if (likeness >= SIMILARITY_MIN || begins)
      found.push({ term, likeness: Math.max(likeness, SIMILARITY_MIN) });
  }
  return found
    .sort((left, right) => right.likeness - left.likeness || compare(left.term, right.term))
    .slice(0, STAND_INS_MAX);
}

function likenessOf(parts: ReadonlySet<string>, term: string): number {
  const others = partsOf(term);
  const shared = others.reduce((sum, part) => sum + (parts.has(part) ? 1 : 0), 0);
  return (2 * shared) / (parts.size + others.length);
}

function partsOf(term: string): string[] {
  const bounded = `^${term}$`;
  return Array.from({ length: bounded.length - PART_CHARS + 1 }, (_, start) =>
    bounded.slice(start, start + PART_CHARS),
  );
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
