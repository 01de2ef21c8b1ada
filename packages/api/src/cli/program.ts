import { Command, CommanderError } from "commander";
import type { EnvironmentVariables } from "@cherry-ai/memory";
import { addExport } from "./export.ts";
import { addImport } from "./import.ts";
import { addMigrate } from "./migrate.ts";
import { EXIT, describeFailure, printError } from "./output.ts";
import { addServe } from "./serve.ts";
import { addToken } from "./token.ts";

const AFTER_HELP = `
Exit code: 0 when it worked, 1 when it failed, 2 for a wrong option or setting.
Settings come from environment variables such as DATABASE_URL and CHERRY_DATA_DIR.
`;

/** The command with all its parts. */
function createProgram(env: EnvironmentVariables): Command {
  const program = new Command("cherry-memory")
    .description("Coherent, durable, searchable memory for AI agents.")
    .exitOverride()
    .addHelpText("after", AFTER_HELP);
  for (const add of [addServe, addMigrate, addToken, addExport, addImport]) add(program, env);
  return program;
}

/** Runs one command line; resolves to the exit code. */
export async function runCli(args: readonly string[], env: EnvironmentVariables): Promise<number> {
  try {
    await createProgram(env).parseAsync([...args], { from: "user" });
    return EXIT.ok;
  } catch (error) {
    // commander has said already what was wrong with the options.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const { text, exit } = describeFailure(error);
    printError(text);
    return exit;
  }
}
