/**
 * The glob of the contract, written for being obviously right: a plain backtracking matcher over
 * characters. Exponential in the worst case, so only for tests. The pattern must be valid.
 */
export function referenceGlob(pattern: string, key: string): boolean {
  return matchFrom([...pattern], [...key]);
}

function matchFrom(pattern: readonly string[], key: readonly string[]): boolean {
  const [head, ...rest] = pattern;
  if (head === undefined) return key.length === 0;
  if (head === "*")
    return matchFrom(rest, key) || (key.length > 0 && matchFrom(pattern, key.slice(1)));
  const [first, ...keyRest] = key;
  if (first === undefined) return false;
  if (head === "?") return matchFrom(rest, keyRest);
  if (head === "\\") return rest[0] === first && matchFrom(rest.slice(1), keyRest);
  if (head !== "[") return head === first && matchFrom(rest, keyRest);
  const { found, after } = readClass(rest, first);
  return found && matchFrom(after, keyRest);
}

/** Reads members up to the closing bracket; `\` takes the next character literally. */
function readClass(
  text: readonly string[],
  character: string,
): { readonly found: boolean; readonly after: readonly string[] } {
  const negated = text[0] === "!";
  let rest = negated ? text.slice(1) : text;
  let found = false;
  const take = (): number => {
    if (rest[0] === "\\") rest = rest.slice(1);
    const code = codeOf(rest[0]);
    rest = rest.slice(1);
    return code;
  };
  while (rest.length > 0 && rest[0] !== "]") {
    const from = take();
    const isRange = rest[0] === "-" && rest.length > 1 && rest[1] !== "]";
    if (isRange) rest = rest.slice(1);
    const to = isRange ? take() : from;
    if (codeOf(character) >= from && codeOf(character) <= to) found = true;
  }
  return { found: found !== negated, after: rest.slice(1) };
}

function codeOf(character: string | undefined): number {
  return character?.codePointAt(0) ?? -1;
}
