/** Namespaces by what is done in them; keys are few, so that everything meets everything. */
const MAIN = "torture/main";
const CLEARED = "torture/cleared";
const FLEETING = "torture/fleeting";
export const LOADED = "torture/loaded";
const COUNTED = "torture/counted";

function keys(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

export interface Space {
  readonly namespace: string;
  readonly keys: readonly string[];
}

/** All items of a run but those that loaders make for one look. */
export const SPACES = {
  main: { namespace: MAIN, keys: keys("k", 32) },
  cleared: { namespace: CLEARED, keys: keys("c", 8) },
  fleeting: { namespace: FLEETING, keys: keys("t", 6) },
  loaded: { namespace: LOADED, keys: keys("l", 6) },
  counted: { namespace: COUNTED, keys: keys("n", 4) },
} as const satisfies { readonly [name: string]: Space };

/** One name for an item over all namespaces. */
export function itemName(namespace: string, key: string): string {
  return `${namespace}/${key}`;
}
