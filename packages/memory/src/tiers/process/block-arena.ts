import { Buffer } from "node:buffer";

/** Of 128, 192 and 256 tried with 1 KB values: the least memory, and no slower to read. */
export const BLOCK_BYTES = 128;
const BLOCK_SHIFT = 7;
/** A block with its link. */
export const BLOCK_COST_BYTES: number = BLOCK_BYTES + 4;
const SLAB_SHIFT = 13;
/** Blocks of one slab: 1 MiB. */
const SLAB_BLOCKS = 1 << SLAB_SHIFT;
const SLAB_MASK = SLAB_BLOCKS - 1;
const NO_BLOCK = 0xffff_ffff;

/**
 * Memory outside the heap in equal blocks, chained to hold anything from a byte to a megabyte. Equal
 * blocks cannot fragment, whatever sizes come and go. Freed chains are reused last first and in
 * order, so neighbours in a chain are mostly neighbours in memory and are copied in one go.
 */
export class BlockArena {
  readonly #blocksMax: number;
  readonly #next: Uint32Array;
  #slabs: Buffer[] = [];
  #words: Uint32Array[] = [];
  #doubles: Float64Array[] = [];
  #free = NO_BLOCK;
  /** Blocks from here on were never used. */
  #fresh = 0;

  constructor(blocksMax: number) {
    this.#blocksMax = blocksMax;
    this.#next = new Uint32Array(blocksMax);
  }

  /** First block of a chain of `count`. The caller keeps count and never asks for more than there is. */
  allocate(count: number): number {
    const first = this.#take();
    let last = first;
    for (let taken = 1; taken < count; taken += 1) {
      const block = this.#take();
      this.#next[last] = block;
      last = block;
    }
    this.#next[last] = NO_BLOCK;
    return first;
  }

  free(first: number): void {
    let last = first;
    for (let next = this.#after(last); next !== NO_BLOCK; next = this.#after(last)) last = next;
    this.#next[last] = this.#free;
    this.#free = first;
  }

  /** Gives all memory back. */
  clear(): void {
    this.#slabs = [];
    this.#words = [];
    this.#doubles = [];
    this.#free = NO_BLOCK;
    this.#fresh = 0;
  }

  word(block: number, index: number): number {
    return (
      this.#words[block >>> SLAB_SHIFT]?.[((block & SLAB_MASK) << (BLOCK_SHIFT - 2)) + index] ?? 0
    );
  }

  /** A little-endian u32 at any byte of the chain. */
  wordAt(first: number, offset: number): number {
    let word = 0;
    for (let byte = 3; byte >= 0; byte -= 1) {
      const block = this.#skip(first, offset + byte);
      const at = ((block & SLAB_MASK) << BLOCK_SHIFT) + ((offset + byte) & (BLOCK_BYTES - 1));
      word = (word << 8) | (this.#slabs[block >>> SLAB_SHIFT]?.[at] ?? 0);
    }
    return word >>> 0;
  }

  setWord(block: number, index: number, value: number): void {
    const words = this.#words[block >>> SLAB_SHIFT];
    if (words !== undefined) words[((block & SLAB_MASK) << (BLOCK_SHIFT - 2)) + index] = value;
  }

  double(block: number, index: number): number {
    return (
      this.#doubles[block >>> SLAB_SHIFT]?.[((block & SLAB_MASK) << (BLOCK_SHIFT - 3)) + index] ?? 0
    );
  }

  setDouble(block: number, index: number, value: number): void {
    const doubles = this.#doubles[block >>> SLAB_SHIFT];
    if (doubles !== undefined) doubles[((block & SLAB_MASK) << (BLOCK_SHIFT - 3)) + index] = value;
  }

  /** Copies chain bytes from `offset` on into the whole target. */
  read(first: number, offset: number, target: Uint8Array): void {
    const { length } = target;
    let block = this.#skip(first, offset);
    let at = offset & (BLOCK_BYTES - 1);
    for (let done = 0; done < length; at = 0) {
      const last = this.#runEnd(block, length - done + at);
      const count = Math.min(((last - block + 1) << BLOCK_SHIFT) - at, length - done);
      const start = ((block & SLAB_MASK) << BLOCK_SHIFT) + at;
      const slab = this.#slabs[block >>> SLAB_SHIFT];
      if (slab !== undefined) target.set(slab.subarray(start, start + count), done);
      done += count;
      block = this.#after(last);
    }
  }

  /** Text of chain bytes from `offset` on; where they lie together, without copying them first. */
  text(first: number, offset: number, bytes: number, encoding: "utf8" | "latin1"): string {
    const block = this.#skip(first, offset);
    const at = offset & (BLOCK_BYTES - 1);
    const last = this.#runEnd(block, bytes + at);
    const start = ((block & SLAB_MASK) << BLOCK_SHIFT) + at;
    if (((last - block + 1) << BLOCK_SHIFT) - at >= bytes)
      return this.#slabs[block >>> SLAB_SHIFT]?.toString(encoding, start, start + bytes) ?? "";
    const together = Buffer.allocUnsafe(bytes);
    this.read(first, offset, together);
    return together.toString(encoding);
  }

  /** Copies the whole source into the chain from `offset` on. */
  write(first: number, offset: number, source: Uint8Array): void {
    const { length } = source;
    let block = this.#skip(first, offset);
    let at = offset & (BLOCK_BYTES - 1);
    for (let done = 0; done < length; at = 0) {
      const last = this.#runEnd(block, length - done + at);
      const count = Math.min(((last - block + 1) << BLOCK_SHIFT) - at, length - done);
      const part = count === length ? source : source.subarray(done, done + count);
      this.#slabs[block >>> SLAB_SHIFT]?.set(part, ((block & SLAB_MASK) << BLOCK_SHIFT) + at);
      done += count;
      block = this.#after(last);
    }
  }

  /** Whether the chain holds the text at `offset`, `unitBytes` (1 or 2) for each UTF-16 unit. */
  holdsText(first: number, offset: number, text: string, unitBytes: number): boolean {
    let block = first;
    let slab = this.#slabs[block >>> SLAB_SHIFT];
    let base = (block & SLAB_MASK) << BLOCK_SHIFT;
    let at = offset;
    for (let index = 0; index < text.length; index += 1) {
      // Units are two bytes at even offsets, so one never lies across two blocks.
      if (at >= BLOCK_BYTES) {
        block = this.#after(block);
        slab = this.#slabs[block >>> SLAB_SHIFT];
        base = (block & SLAB_MASK) << BLOCK_SHIFT;
        at -= BLOCK_BYTES;
      }
      if (slab === undefined) return false;
      const low = slab[base + at] ?? 0;
      const unit = unitBytes === 1 ? low : low | ((slab[base + at + 1] ?? 0) << 8);
      if (unit !== text.charCodeAt(index)) return false;
      at += unitBytes;
    }
    return true;
  }

  /** The block that holds the chain's byte at `offset`. */
  #skip(first: number, offset: number): number {
    let block = first;
    for (let at = offset; at >= BLOCK_BYTES; at -= BLOCK_BYTES) block = this.#after(block);
    return block;
  }

  /** The last of the blocks that follow in memory as in the chain, as far as `bytes` reach. */
  #runEnd(first: number, bytes: number): number {
    let last = first;
    for (let left = bytes; left > BLOCK_BYTES; left -= BLOCK_BYTES) {
      if ((last & SLAB_MASK) === SLAB_MASK || this.#next[last] !== last + 1) break;
      last += 1;
    }
    return last;
  }

  #take(): number {
    const block = this.#free;
    if (block !== NO_BLOCK) {
      this.#free = this.#after(block);
      return block;
    }
    if ((this.#fresh & SLAB_MASK) === 0) this.#addSlab();
    this.#fresh += 1;
    return this.#fresh - 1;
  }

  #addSlab(): void {
    const blocks = Math.min(SLAB_BLOCKS, this.#blocksMax - this.#fresh);
    // Not zeroed: the system gives the pages as they are written to.
    const slab = Buffer.allocUnsafeSlow(blocks * BLOCK_BYTES);
    this.#slabs.push(slab);
    this.#words.push(new Uint32Array(slab.buffer, slab.byteOffset, slab.length / 4));
    this.#doubles.push(new Float64Array(slab.buffer, slab.byteOffset, slab.length / 8));
  }

  #after(block: number): number {
    return this.#next[block] ?? NO_BLOCK;
  }
}
