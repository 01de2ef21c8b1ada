import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "./program.ts";

/** Files of a throw-away authority and of the certificate that it gave to 127.0.0.1 and localhost. */
export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const DAYS = "2";

/** undefined when certificates can be made on this machine, otherwise why not. */
export function opensslAvailable(): string | undefined {
  return findProgram("openssl") === undefined
    ? "no openssl on PATH (Debian: apt-get install openssl)"
    : undefined;
}

/** Makes them in `folder`; about 0.1 s, for elliptic keys are quick. */
export function makeCertificates(folder: string): Certificates {
  const program = findProgram("openssl");
  if (program === undefined) throw new Error(opensslAvailable());
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: readonly string[]): void => {
    execFileSync(program, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  };
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const authority = ["-keyout", file("ca.key"), "-out", file("ca.crt"), "-subj", "/CN=test"];
  openssl("req", "-x509", ...newKey, "-days", DAYS, ...authority);
  writeFileSync(file("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  const server = ["-keyout", file("server.key"), "-out", file("server.csr")];
  openssl("req", "-new", ...newKey, ...server, "-subj", "/CN=localhost");
  const signer = ["-CA", file("ca.crt"), "-CAkey", file("ca.key"), "-CAcreateserial"];
  const made = ["-in", file("server.csr"), "-out", file("server.crt"), "-extfile", file("names")];
  openssl("x509", "-req", ...signer, ...made, "-days", DAYS);
  return { ca: file("ca.crt"), cert: file("server.crt"), key: file("server.key") };
}
