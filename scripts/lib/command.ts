import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { ROOT } from "./workspace.ts";

export interface CommandOptions {
  readonly cwd?: string;
  /** `show` lets the output through as it comes; `keep` returns it. */
  readonly output: "show" | "keep";
}

export interface CommandResult {
  /** 128 + number of a signal, as a shell would say it. */
  readonly code: number;
  /** stdout and stderr in the order they came; empty with `show`. */
  readonly output: string;
  readonly elapsedMs: number;
}

const KILLED = 128;

/** Runs a program to its end. A failure is a code, not a throw. */
export function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: environment(),
      stdio: ["ignore", ...outputs(options.output)],
    });
    const pieces: Buffer[] = [];
    child.stdout?.on("data", (piece: Buffer) => pieces.push(piece));
    child.stderr?.on("data", (piece: Buffer) => pieces.push(piece));
    // A supervisor sends TERM to us alone. A terminal sends Ctrl-C to the child as well: we only
    // have to stay until it has cleaned up.
    const pass = (): void => void child.kill("SIGTERM");
    const stay = (): void => {};
    process.on("SIGTERM", pass);
    process.on("SIGINT", stay);
    child.on("error", reject);
    child.on("close", (code) => {
      process.off("SIGTERM", pass);
      process.off("SIGINT", stay);
      resolve({
        code: code ?? KILLED,
        output: Buffer.concat(pieces).toString("utf8"),
        elapsedMs: performance.now() - start,
      });
    });
  });
}

function outputs(output: CommandOptions["output"]): ["inherit" | "pipe", "inherit" | "pipe"] {
  return output === "show" ? ["inherit", "inherit"] : ["pipe", "pipe"];
}

/** The workspace's own Node first, so that every tool runs on it wherever we were started. */
function environment(): NodeJS.ProcessEnv {
  const path = process.env["PATH"] ?? "";
  return {
    ...process.env,
    PATH: [join(ROOT, "node_modules", ".bin"), path].filter(Boolean).join(delimiter),
  };
}
