/** What a look-up found, and where to put what it did not find. */
export interface LookedUp {
  /** In the order asked. */
  readonly found: readonly (Float32Array | undefined)[];
  /** Keeps vectors that were made since. What was forgotten since is not kept. */
  keep(entries: readonly KeptVector[]): Promise<void>;
}

export interface KeptVector {
  readonly id: string;
  readonly vector: Float32Array;
}

/** Vectors by what they were made of, for a while, by namespace. May forget at any time. */
export interface VectorStore {
  lookUp(namespace: string, ids: readonly string[]): Promise<LookedUp>;
  /** Nothing that was kept for the namespace, or also for those below it, is found any more, anywhere. */
  clear(namespace: string, below: boolean): Promise<void>;
  /** The same, and nothing of it lies anywhere either. */
  forget(namespace: string, below: boolean): Promise<void>;
}

/** Numbers to bytes and back, the same on every machine. */
export function vectorBytes(vector: Float32Array): Uint8Array {
  const bytes = new Uint8Array(vector.length * Float32Array.BYTES_PER_ELEMENT);
  const view = new DataView(bytes.buffer);
  for (const [at, component] of vector.entries())
    view.setFloat32(at * Float32Array.BYTES_PER_ELEMENT, component, true);
  return bytes;
}

/** Undefined for bytes that are no vector of so many dimensions. */
export function bytesVector(bytes: Uint8Array, dimensions: number): Float32Array | undefined {
  if (bytes.byteLength !== dimensions * Float32Array.BYTES_PER_ELEMENT) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const vector = new Float32Array(dimensions);
  for (let at = 0; at < dimensions; at++)
    vector[at] = view.getFloat32(at * Float32Array.BYTES_PER_ELEMENT, true);
  return vector.every(Number.isFinite) ? vector : undefined;
}
