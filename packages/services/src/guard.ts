import { spawn } from "node:child_process";

/** Ends a server when the process that started it dies without doing so. */
export interface Guard {
  /** The server has ended by itself: nothing is left to do. */
  release(): void;
}

// The script outlives a SIGKILL of its parent: it is in a session of its own, and the end of its
// stdin is how it learns of the death. $1 signal, $2 pid, $3 folder.
const END_PROCESS = `
if read -r _; then exit 0; fi
kill -s "$1" "$2" 2>/dev/null
tries=0
while kill -0 "$2" 2>/dev/null && [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
kill -s KILL "$2" 2>/dev/null
rm -rf "$3"
`;

const REMOVE_FOLDER = `
if read -r _; then exit 0; fi
tries=0
until rm -rf "$1" 2>/dev/null || [ "$tries" -ge 50 ]; do sleep 0.2; tries=$((tries + 1)); done
`;

function guard(script: string, args: readonly string[]): Guard {
  const child = spawn("/bin/sh", ["-c", script, "guard", ...args], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    cwd: "/",
  });
  child.on("error", () => {});
  child.stdin.on("error", () => {});
  child.unref();
  // A pipe is a handle of its own: without this an idle guard would keep the process alive.
  if ("unref" in child.stdin && typeof child.stdin.unref === "function") child.stdin.unref();
  return { release: () => void child.stdin.end("released\n") };
}

/** `signal` must make `pid` take its own children with it. `folder` is removed after its death. */
export function guardProcess(pid: number, signal: "QUIT" | "TERM", folder: string): Guard {
  return guard(END_PROCESS, [signal, String(pid), folder]);
}

/** Removes a folder when this process dies in whatever way; servers in it may end a little later. */
export function guardFolder(folder: string): void {
  guard(REMOVE_FOLDER, [folder]);
}
