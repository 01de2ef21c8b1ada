import { createHash } from "node:crypto";
import { MemoryError } from "../../model/errors.ts";
import type { Receipt } from "../../model/item.ts";
import { NO_TAGS } from "../core.ts";
import type { Core } from "../core.ts";
import { checkRefs, checkSet } from "../inputs.ts";
import { checkOptions, refuse } from "../options.ts";
import type { Parts } from "../runtime.ts";
import type { Feedback } from "./memories.ts";
import { checkQuery } from "./search-words.ts";

const RELEVANT_MAX = 100;
/** Judgments lie below a name of their own: no claim to a namespace reaches it, none of its pages shows them. */
const ROOT = "\u0001feedback";
const FEEDBACK_FORMAT = 1;

const FEEDBACK_OPTIONS = { query: (): void => {}, relevant: (): void => {} };

/** The same question again takes the place of what was said of it before. */
export async function storeFeedback(
  parts: Parts,
  namespace: string,
  feedback: Feedback,
): Promise<Receipt> {
  const { core, write } = parts;
  const { limits } = core.config;
  const { query, relevant } = checkOptions(feedback, FEEDBACK_OPTIONS);
  if (typeof query !== "string" || query.trim() === "") refuse("query", "a question", query);
  checkQuery(query);
  if (!Array.isArray(relevant) || relevant.length === 0 || relevant.length > RELEVANT_MAX)
    refuse("relevant", `a list of 1 to ${RELEVANT_MAX} keys`, relevant);
  const keys = [...new Set(relevant)];
  const refs = checkRefs(namespace, keys, limits);
  const records = await core.authority.getMany(refs);
  const missing = refs.filter((_, index) => records[index] === undefined);
  if (missing.length > 0)
    throw new MemoryError(
      "NOT_FOUND",
      `relevant: ${missing.length} of ${refs.length} keys are no items of this namespace, the first ${JSON.stringify(missing[0]?.key)}`,
      { field: "relevant" },
    );
  const value = {
    feedbackFormat: FEEDBACK_FORMAT,
    query,
    relevant: keys,
    at: new Date(core.clock.wallMs()).toISOString(),
  };
  const digest = createHash("sha256").update(query).digest("base64url");
  // Under encryption a guess at the question must not be provable by its key.
  const key = core.codec.blind(digest);
  const set = checkSet(key, value, { index: false, embed: false }, limits);
  return write.put(write.encodePut(feedbackNamespace(namespace), set));
}

/** Questions may tell as much as items: they go with them. Mostly there are none. */
export async function clearFeedback(
  { authority }: Core,
  namespace: string,
  below: boolean,
): Promise<void> {
  const scope = { namespace: feedbackNamespace(namespace), below };
  const { records } = await authority.search({
    ...scope,
    pattern: undefined,
    metadataFilter: undefined,
    tags: NO_TAGS,
    limit: 1,
    cursor: undefined,
    explain: false,
  });
  if (records.length > 0) await authority.clear(scope.namespace, below);
}

/** Where the judgments on items of a namespace lie. */
function feedbackNamespace(namespace: string): string {
  return namespace === "" ? ROOT : `${ROOT}/${namespace}`;
}
