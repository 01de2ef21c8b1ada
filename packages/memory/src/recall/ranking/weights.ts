/** Signals by name with what each is worth; a signal that is not named here counts nothing. */
export type Weights = Readonly<Record<string, number>>;

export const DEFAULT_WEIGHTS: Weights = {
  words: 1,
};
