import { MemoryError } from "../model/errors.ts";
import type { IndexVersion } from "./vector.ts";

/**
 * The vector at length one, so that every backend compares by the inner product, which is then the
 * cosine and the cheapest comparison there is. INVALID_ARGUMENT for what has no direction.
 */
export function unitVector(vector: Float32Array, index: IndexVersion): Float32Array {
  if (vector.length !== index.dimensions)
    throw refusal(
      `has ${vector.length} dimensions, but index ${index.number} was made for ${index.dimensions} (model ${JSON.stringify(index.model)}); embed with that model, or make a new index version and reindex`,
    );
  let squares = 0;
  for (const part of vector) squares += part * part;
  const length = Math.sqrt(squares);
  if (!Number.isFinite(length))
    throw refusal("holds what is no finite number; the embedder must give finite ones");
  if (length === 0)
    throw refusal("is all zeros and so is near to nothing; leave an item without meaning out");
  return vector.map((part) => part / length);
}

function refusal(fault: string): MemoryError {
  return new MemoryError("INVALID_ARGUMENT", `the vector ${fault}`, { field: "vector" });
}
