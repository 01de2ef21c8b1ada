/** Odd constants with well-mixed bits (from MurmurHash3 and the golden ratio). */
const STEP = 0x9e37_79b1;
const FINISH_1 = 0x85eb_ca6b;
const FINISH_2 = 0xc2b2_ae35;

/**
 * 32 bits of hash. The seed must not be known outside: whoever knows it could choose keys that
 * collide and make every lookup slow.
 */
export function hashText(text: string, seed: number): number {
  let hash = seed;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), STEP);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 16), FINISH_1);
  hash = Math.imul(hash ^ (hash >>> 13), FINISH_2);
  return (hash ^ (hash >>> 16)) >>> 0;
}
