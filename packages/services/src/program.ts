import { execFileSync } from "node:child_process";

/** Where a program is that PATH, or Debian's or a user's own folder of programs has. */
export function findProgram(name: string): string | undefined {
  try {
    const script = `command -v ${name} || ls /usr/bin/${name} /usr/local/bin/${name} | head -n 1`;
    const path = execFileSync("/bin/sh", ["-c", script], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
    return path === "" ? undefined : path;
  } catch {
    // Not installed.
    return undefined;
  }
}
