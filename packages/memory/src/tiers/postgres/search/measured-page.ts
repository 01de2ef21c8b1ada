import type { PageMeasure } from "../../authority.ts";
import type { Found, FoundPage } from "./page-finder.ts";

/** The start of the page that its measure allows, and where to go on; one item at least. */
export function measuredPage(page: FoundPage, measure: PageMeasure): FoundPage {
  const count = countWithin(page.found, measure);
  if (count === page.found.length) return page;
  const found = page.found.slice(0, count);
  const last = found.at(-1);
  // Where this page was the last, the next one finds out by itself whether an index helps.
  const walks = page.next?.walks ?? false;
  return {
    ...page,
    found,
    next: last === undefined ? undefined : { after: last.ref, walks },
    bounded: true,
  };
}

function countWithin(found: readonly Found[], measure: PageMeasure): number {
  let bytes = 0;
  for (const [index, { record }] of found.entries()) {
    if (record !== undefined) bytes += measuredBytes(record.body, measure);
    if (bytes > measure.bytesMax) return Math.max(1, index);
  }
  return found.length;
}

export function measuredBytes(body: Uint8Array, measure: PageMeasure): number {
  try {
    return measure.bytesOf(body);
  } catch {
    // A damaged body is for whoever opens it to report, with its key.
    return body.byteLength;
  }
}
