import fc from "fast-check";
import { expect, test } from "vitest";
import { BLOCK_BYTES, BlockArena } from "./block-arena.ts";

const BLOCKS = 300;

function fill(bytes: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, index) => (index * 7 + seed * 31) & 0xff);
}

test("chains keep what was written, whatever was freed around them", () => {
  const script = fc.array(fc.tuple(fc.nat(3), fc.nat(20 * BLOCK_BYTES), fc.nat(500)), {
    maxLength: 300,
    size: "max",
  });
  fc.assert(
    fc.property(script, (actions) => {
      const arena = new BlockArena(BLOCKS);
      const chains: { first: number; blocks: number; offset: number; content: Uint8Array }[] = [];
      let used = 0;
      for (const [action, bytes, at] of actions) {
        if (action > 0) {
          const offset = at % (2 * BLOCK_BYTES);
          const blocks = Math.max(1, Math.ceil((offset + bytes) / BLOCK_BYTES));
          if (used + blocks > BLOCKS) continue;
          const content = fill(bytes, at);
          const first = arena.allocate(blocks);
          arena.write(first, offset, content);
          chains.push({ first, blocks, offset, content });
          used += blocks;
        } else {
          const [chain] = chains.splice(at % Math.max(1, chains.length), 1);
          if (chain === undefined) continue;
          arena.free(chain.first);
          used -= chain.blocks;
        }
      }
      for (const { first, offset, content } of chains) {
        const read = new Uint8Array(content.length);
        arena.read(first, offset, read);
        expect(read).toEqual(content);
        const bytes = Buffer.from(content);
        for (const encoding of ["latin1", "utf8"] as const)
          expect(arena.text(first, offset, content.length, encoding)).toBe(
            bytes.toString(encoding),
          );
        if (bytes.length >= 4) {
          const at = bytes.length - 4;
          expect(arena.wordAt(first, offset + at)).toBe(bytes.readUInt32LE(at));
        }
      }
    }),
  );
});

test("text is compared across blocks, in one and in two bytes a unit", () => {
  const arena = new BlockArena(100);
  const text = "k".repeat(500);
  for (const [unitBytes, encoding] of [
    [1, "latin1"],
    [2, "utf16le"],
  ] as const) {
    const bytes = Buffer.from(text, encoding);
    const first = arena.allocate(Math.ceil((56 + bytes.length) / BLOCK_BYTES));
    arena.write(first, 56, bytes);
    expect(arena.holdsText(first, 56, text, unitBytes)).toBe(true);
    expect(arena.holdsText(first, 56, `${text.slice(0, -1)}x`, unitBytes)).toBe(false);
    expect(arena.holdsText(first, 56, `x${text.slice(1)}`, unitBytes)).toBe(false);
  }
});
