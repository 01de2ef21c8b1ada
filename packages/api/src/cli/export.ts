import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import type { Command } from "commander";
import type { EnvironmentVariables } from "@cherry-ai/memory";
import { UsageError, printError, printJson } from "./output.ts";
import { openTarget } from "./target.ts";
import type { Target, TargetOptions } from "./target.ts";

const EXAMPLES = `
Examples:
  $ cherry-memory export --ns acme/agent-7 > agent-7.ndjson
  $ cherry-memory export --ns acme --below --out acme.ndjson --url http://127.0.0.1:8787
  $ cherry-memory export --ns / --below --out all.ndjson --url https://memory.example.com --token-file jwt

Without --url the storage itself is read; the embedded one must not be in use by a server then.
`;

interface ExportOptions extends TargetOptions {
  readonly below: boolean;
  readonly out?: string;
  readonly json: boolean;
}

export function addExport(program: Command, env: EnvironmentVariables): void {
  program
    .command("export")
    .description("write every item of a namespace, one JSON line each, in key order")
    .requiredOption("--ns <namespace>", "namespace such as acme/agent-7; / is the root")
    .option("--below", "also all namespaces below it", false)
    .option("--out <file>", "write to this file rather than to stdout")
    .option("--url <url>", "read from this server rather than from the storage")
    .option("--token <jwt>", "token for the server; other users of this machine can see it")
    .option("--token-file <file>", "file with the token for the server")
    .option("--json", "answer with a count as JSON; needs --out", false)
    .addHelpText("after", EXAMPLES)
    .action(async (options: ExportOptions) => {
      if (options.json && options.out === undefined)
        throw new UsageError("--json: expected with --out, because stdout carries the items");
      const target = await openTarget(options, env);
      try {
        await exportTo(target, options);
      } finally {
        await target.close();
      }
    });
}

async function exportTo(target: Target, options: ExportOptions): Promise<void> {
  const { out, below } = options;
  if (out === undefined) {
    printError(`${await writeLines(target, below, process.stdout)} items`);
    return;
  }
  // Under another name until it is whole, so that half an export is never taken for one.
  const partial = `${out}.partial`;
  const file = createWriteStream(partial);
  let items: number;
  try {
    items = await writeLines(target, below, file);
    file.end();
    await finished(file);
    await rename(partial, out);
  } catch (error) {
    file.destroy();
    await rm(partial, { force: true });
    throw error;
  }
  if (options.json) printJson({ items, file: out });
  else printError(`${items} items in ${out}`);
}

async function writeLines(target: Target, below: boolean, stream: Writable): Promise<number> {
  let items = 0;
  for await (const line of target.export({ below })) {
    items += 1;
    if (!stream.write(`${JSON.stringify(line)}\n`)) await once(stream, "drain");
  }
  return items;
}
