/** A process to be killed: indexes a database's words without end, and says of each step that it begins. */
import { writeSync } from "node:fs";
import { openAuthority, serverDatabase } from "./databases.ts";
import { reader } from "./word-model.ts";

const STDOUT = 1;
const [url] = process.argv.slice(2);
if (url === undefined) throw new Error("needs a database");
const authority = await openAuthority(serverDatabase(url));
for (;;) {
  writeSync(STDOUT, "step\n");
  await authority.keywords?.advance(reader, { changes: 1000 });
}
