import { MemoryError } from "../model/errors.ts";
import type { IndexVersion } from "./vector.ts";

/** Refuses what no backend can make: its own bound, and whom to ask for more. */
export function checkIndex(
  { number, dimensions }: IndexVersion,
  limit: { readonly dimensionsMax: number; readonly where: string; readonly remedy: string },
): void {
  if (!Number.isSafeInteger(number) || number < 1)
    throw new MemoryError("INVALID_ARGUMENT", "index number: expected a whole number from 1", {
      field: "number",
    });
  const { dimensionsMax, where, remedy } = limit;
  if (Number.isSafeInteger(dimensions) && dimensions >= 1 && dimensions <= dimensionsMax) return;
  throw new MemoryError(
    "INVALID_ARGUMENT",
    `an index in ${where} takes vectors of 1 to ${dimensionsMax} dimensions, and these have ${dimensions}; ${remedy}`,
    { field: "dimensions" },
  );
}

/** Refuses a number that is another model's. */
export function refuseOther(wanted: IndexVersion, known: IndexVersion): void {
  if (wanted.model === known.model && wanted.dimensions === known.dimensions) return;
  throw new MemoryError(
    "INVALID_ARGUMENT",
    `index ${wanted.number} was made for model ${JSON.stringify(known.model)} of ${known.dimensions} dimensions, not for ${JSON.stringify(wanted.model)} of ${wanted.dimensions}; take the next number and reindex`,
    { field: "number" },
  );
}

export function missingIndex(number: number, cause?: unknown): MemoryError {
  return new MemoryError(
    "NOT_FOUND",
    `there is no index version ${number}; make it first, or use one that is listed`,
    cause === undefined ? {} : { cause },
  );
}
