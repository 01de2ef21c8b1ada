/** Bounds on what callers may send. Beyond one the call is refused, never clamped. */
export interface Limits {
  readonly keyBytes: number;
  readonly namespaceBytes: number;
  readonly namespaceSegments: number;
  readonly valueBytes: number;
  readonly metadataBytes: number;
  readonly jsonDepth: number;
  readonly filterDepth: number;
  readonly filterClauses: number;
  readonly patternBytes: number;
  readonly tags: number;
  readonly tagBytes: number;
  readonly batchOperations: number;
  readonly batchBytes: number;
  readonly pageItems: number;
  readonly pageItemsDefault: number;
  readonly ttlSeconds: number;
}

const KIB = 1024;
const SECONDS_PER_YEAR = 365.25 * 24 * 3600;

export const DEFAULT_LIMITS: Limits = Object.freeze({
  keyBytes: 1024,
  namespaceBytes: 512,
  namespaceSegments: 16,
  valueBytes: KIB * KIB,
  metadataBytes: 16 * KIB,
  jsonDepth: 64,
  filterDepth: 16,
  filterClauses: 100,
  patternBytes: 1024,
  tags: 32,
  tagBytes: 128,
  batchOperations: 1000,
  batchBytes: 8 * KIB * KIB,
  pageItems: 1000,
  pageItemsDefault: 50,
  ttlSeconds: 10 * SECONDS_PER_YEAR,
});
