/** Scales a vector to length 1 in place. False when it has none: zeros, or numbers that are none. */
export function toUnit(vector: Float32Array): boolean {
  let squares = 0;
  for (const component of vector) squares += component * component;
  const length = Math.sqrt(squares);
  if (!(length > 0) || !Number.isFinite(length)) return false;
  for (let at = 0; at < vector.length; at++) vector[at] = (vector[at] ?? 0) / length;
  return true;
}
