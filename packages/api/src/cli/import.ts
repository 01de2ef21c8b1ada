import { createReadStream } from "node:fs";
import type { Command } from "commander";
import { loadConfig } from "@cherry-ai/memory";
import type { EnvironmentVariables } from "@cherry-ai/memory";
import type { ImportReceipt } from "@cherry-ai/client";
import { itemBodyBytesMax } from "../http/body.ts";
import { readLines } from "../http/lines.ts";
import { print, printJson } from "./output.ts";
import { openTarget } from "./target.ts";
import type { TargetOptions } from "./target.ts";

const FAILED_SHOWN = 20;

const EXAMPLES = `
Examples:
  $ cherry-memory import --ns acme/agent-7 < agent-7.ndjson
  $ cherry-memory import --ns acme --in acme.ndjson --url http://127.0.0.1:8787 --json

Lines are what export writes. All or nothing per 1,000 lines; repeating it is harmless.
Without --url the storage itself is written; the embedded one must not be in use by a server then.
`;

interface ImportOptions extends TargetOptions {
  readonly in?: string;
  readonly json: boolean;
}

export function addImport(program: Command, env: EnvironmentVariables): void {
  program
    .command("import")
    .description("write items from JSON lines")
    .requiredOption("--ns <namespace>", "namespace such as acme/agent-7; / is the root")
    .option("--in <file>", "read from this file rather than from stdin")
    .option("--url <url>", "write to this server rather than to the storage")
    .option("--token <jwt>", "token for the server; other users of this machine can see it")
    .option("--token-file <file>", "file with the token for the server")
    .option("--json", "answer as JSON", false)
    .addHelpText("after", EXAMPLES)
    .action((options: ImportOptions) => runImport(options, env));
}

async function runImport(options: ImportOptions, env: EnvironmentVariables): Promise<void> {
  const { limits } = loadConfig(env);
  const source = options.in === undefined ? process.stdin : createReadStream(options.in);
  const target = await openTarget(options, env);
  let receipt: ImportReceipt;
  try {
    receipt = await target.import(readLines(source, itemBodyBytesMax(limits)));
  } finally {
    await target.close();
  }
  if (options.json) printJson(receipt);
  else print(`${receipt.imported} of ${receipt.lines} lines imported`);
  if (receipt.failed.length === 0) return;
  const shown = receipt.failed.slice(0, FAILED_SHOWN);
  const more = receipt.failed.length - shown.length;
  throw new Error(
    [
      `${receipt.failed.length} lines failed:`,
      ...shown.map(({ line, code }) => `  line ${line}: ${code}`),
      ...(more > 0 ? [`  and ${more} more`] : []),
    ].join("\n"),
  );
}
