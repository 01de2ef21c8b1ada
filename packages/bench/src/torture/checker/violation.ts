/** overBound: older than the bound allows. stale: still old after quiet. The rest as they say. */
export const VIOLATION_KINDS = [
  "overBound",
  "stale",
  "resurrected",
  "lost",
  "lostUpdate",
  "nonMonotonic",
  "session",
  "disagree",
] as const;

export type ViolationKind = (typeof VIOLATION_KINDS)[number];

export interface Violation {
  readonly kind: ViolationKind;
  readonly key: string;
  readonly message: string;
}
