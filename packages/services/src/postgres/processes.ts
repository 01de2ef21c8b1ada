import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/** Each PostgreSQL backend is a session of its own, so its process group does not find it. */
function childrenOf(pid: number): number[] {
  const list = `/proc/${pid}/task/${pid}/children`;
  const text = existsSync(list)
    ? readFileSync(list, "utf8")
    : execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" })
        .split("\n")
        .map((line) => line.trim().split(/\s+/))
        .filter(([, parent]) => parent === String(pid))
        .map(([child]) => child ?? "")
        .join(" ");
  return text.split(/\s+/).filter(Boolean).map(Number);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already: what was wanted.
  }
}

/** A zombie counts as dead: nothing of it runs, whoever has yet to collect it. */
export function isAlive(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  try {
    process.kill(pid, 0);
    if (!existsSync(stat)) return true;
    // The name in parentheses may hold anything; the state is what follows the last one.
    return !/^\) [ZX]/.test(readFileSync(stat, "utf8").replace(/^.*(?=\) )/s, ""));
  } catch {
    return false;
  }
}

/** SIGKILL to a process and its children, none of which can do a last thing. Returns their ids. */
export function killTree(pid: number): readonly number[] {
  // Stopped first, so that it can neither fork nor see a child die before its own end.
  signal(pid, "SIGSTOP");
  const all = [...childrenOf(pid), pid];
  for (const each of all) signal(each, "SIGKILL");
  return all;
}
