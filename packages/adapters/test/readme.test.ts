import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const PACKAGE = dirname(import.meta.dirname);
const BLOCK = /^```ts\n([^]*?)^```$/gm;
const EXPECTED = /\/\/ → (.*)$/gm;

const blocks = readFileSync(join(PACKAGE, "README.md"), "utf8").matchAll(BLOCK);

test.each([...blocks].map(([, code = ""]) => [code.split("\n")[0], code]))(
  "the README's program that begins with %s prints what it says",
  async (_, code = "") => {
    const expected = [...code.matchAll(EXPECTED)].map(([, output]) => output);
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ["--conditions=@cherry-ai/source", "--input-type=module-typescript", "--eval", code],
      { cwd: PACKAGE },
    );
    expect(expected.length).toBeGreaterThan(0);
    expect(stdout.trimEnd().split("\n")).toEqual(expected);
    expect(stderr).toBe("");
  },
);
