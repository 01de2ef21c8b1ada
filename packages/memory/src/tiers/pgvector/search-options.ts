/** Bounds of one search. */
export interface SearchOptions {
  /**
   * So many matching entries are compared one by one; among more the graph is walked. A comparison
   * costs a microsecond, a walk some milliseconds and a part of the best.
   */
  readonly exactRowsMax: number;
  /** Candidates of one walk: more find more of the best, and take longer. 1 to 1000. */
  readonly candidates: number;
  /** Entries that a walk looks at before it gives up to fill the page; then all are compared. */
  readonly walkRowsMax: number;
}

export const DEFAULT_SEARCH: SearchOptions = {
  exactRowsMax: 10_000,
  candidates: 200,
  walkRowsMax: 20_000,
};
