import { Buffer } from "node:buffer";

const POOL_BYTES = 64 * 1024;
/** Larger bodies get memory of their own, so that one kept for long holds no pool. */
const POOLED_BYTES_MAX = 8 * 1024;
const ALIGN_BYTES = 8;

/**
 * Fresh bytes for bodies, cut from a larger piece: an ArrayBuffer of its own for each costs more
 * than copying a kilobyte. A piece is never used twice. The caller must fill what it takes.
 */
export class BodyPool {
  #pool: Buffer<ArrayBuffer> = Buffer.allocUnsafeSlow(0);
  #used = 0;

  take(bytes: number): Uint8Array {
    if (bytes > POOLED_BYTES_MAX) return new Uint8Array(bytes);
    if (this.#used + bytes > this.#pool.byteLength) {
      // Not zeroed: every byte handed out is written before anybody sees it.
      this.#pool = Buffer.allocUnsafeSlow(POOL_BYTES);
      this.#used = 0;
    }
    const body = new Uint8Array(this.#pool.buffer, this.#used, bytes);
    this.#used += (bytes + ALIGN_BYTES - 1) & -ALIGN_BYTES;
    return body;
  }
}
