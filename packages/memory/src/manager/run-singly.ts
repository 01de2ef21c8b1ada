import { failure } from "./batch-answers.ts";
import type { Answer } from "./batch-answers.ts";
import type { BatchOperation, Memory } from "./memory.ts";

/** One operation of a batch by itself: for keys whose items are ephemeral and never meet the authority. */
export async function runSingly(memory: Memory, operation: BatchOperation): Promise<Answer> {
  try {
    switch (operation.type) {
      case "get":
      case "exists": {
        const item = await memory.getItem(operation.key);
        if (item === undefined) return { success: true, found: false, tierAccessed: null };
        const value = operation.type === "get" ? item.value : true;
        const { version, tier } = item;
        return { success: true, found: true, value, version, tierAccessed: tier };
      }
      case "delete": {
        const { type: _, key, ...options } = operation;
        const receipt = await memory.delete(key, options);
        const { version, existed } = receipt;
        return { success: true, found: existed, existed, version, ...accessed(receipt) };
      }
      case "set": {
        const { type: _, key, value, ...options } = operation;
        const receipt = await memory.set(key, value, options);
        return { success: true, found: true, version: receipt.version, ...accessed(receipt) };
      }
      case "touch": {
        const { type: _, key, ...options } = operation;
        const receipt = await memory.touch(key, options);
        return { success: true, found: true, version: receipt.version, ...accessed(receipt) };
      }
    }
  } catch (error) {
    return failure(error);
  }
}

/** The tier that took the write: the slowest one that stored it. */
function accessed({ tiers }: { readonly tiers: object }): Pick<Answer, "tierAccessed"> {
  const stored = Object.entries(tiers).filter(([, outcome]) => outcome === "stored");
  return { tierAccessed: (stored.at(-1)?.[0] ?? null) as Answer["tierAccessed"] };
}
