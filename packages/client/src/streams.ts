import { CherryError } from "./cherry-error.ts";
import type { ChangeEvent, ExportLine, ImportReceipt } from "./contract.ts";

/** Lines of a streamed body, whatever pieces it comes in. An unfinished last line is an error. */
async function* textLines(response: Response): AsyncGenerator<string> {
  const body = response.body;
  if (body === null) return;
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const reader = body.getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += value === undefined ? decoder.decode() : decoder.decode(value, { stream: true });
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
      if (done) break;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
  if (rest !== "")
    throw new CherryError("UNEXPECTED_RESPONSE", "the stream ended inside a line", {
      retryable: true,
    });
}

export async function* exportLines(response: Response): AsyncGenerator<ExportLine> {
  for await (const line of textLines(response))
    if (line !== "") yield JSON.parse(line) as ExportLine;
}

/** Server-sent events; comments and cursor-only events are passed over. */
export async function* changeEvents(response: Response): AsyncGenerator<ChangeEvent> {
  let position = "";
  let data = "";
  for await (const line of textLines(response)) {
    if (line.startsWith("id:")) position = line.slice(3).trim();
    else if (line.startsWith("data:")) data += line.slice(5);
    else if (line === "" && data !== "") {
      yield { ...(JSON.parse(data) as Omit<ChangeEvent, "position">), position };
      data = "";
    }
  }
}

/** What one import request carries: the server commits 1,000 lines at a time. */
const LINES_PER_REQUEST_MAX = 1000;
const CHARACTERS_PER_REQUEST_MAX = 4 * 1024 * 1024;

/** Lines gathered into bodies of bounded size: streaming uploads do not exist in every browser. */
export async function* importBodies(
  lines: AsyncIterable<ExportLine | string> | Iterable<ExportLine | string>,
): AsyncGenerator<string> {
  let pending: string[] = [];
  let characters = 0;
  for await (const line of lines) {
    const text = typeof line === "string" ? line.replace(/\r?\n$/, "") : JSON.stringify(line);
    pending.push(text);
    characters += text.length + 1;
    if (pending.length < LINES_PER_REQUEST_MAX && characters < CHARACTERS_PER_REQUEST_MAX) continue;
    yield `${pending.join("\n")}\n`;
    pending = [];
    characters = 0;
  }
  if (pending.length > 0) yield `${pending.join("\n")}\n`;
}

/** One receipt of several requests; line numbers count over all of them. */
export function addReceipts(total: ImportReceipt, next: ImportReceipt): ImportReceipt {
  return {
    imported: total.imported + next.imported,
    lines: total.lines + next.lines,
    failed: [
      ...total.failed,
      ...next.failed.map(({ line, code }) => ({ line: line + total.lines, code })),
    ],
  };
}
