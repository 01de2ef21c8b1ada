import type { Receipt } from "../../model/item.ts";
import type { Parts } from "../runtime.ts";
import { checkRecall } from "./check-recall.ts";
import { checkRemember } from "./check-remember.ts";
import { storeFeedback } from "./feedback.ts";
import type {
  Feedback,
  RecallAnswer,
  RecallOptions,
  RememberOptions,
  RememberReceipt,
} from "./memories.ts";
import { recallMemories } from "./recall.ts";
import { Remembering } from "./remember.ts";
import { TurnCache } from "./turn-cache.ts";

/** What agents remember and recall, over items and indexes as all others use them. */
export class AgentMemory {
  readonly #remembering = new Remembering();
  readonly #turns = new TurnCache();

  remember(parts: Parts, namespace: string, options: RememberOptions): Promise<RememberReceipt> {
    const said = checkRemember(options, parts.core.config.limits);
    return this.#remembering.remember(parts, namespace, { said, link: undefined });
  }

  recall(parts: Parts, namespace: string, options: RecallOptions): Promise<RecallAnswer> {
    const request = checkRecall(options, parts.core.config.limits);
    return recallMemories(parts, this.#turns, namespace, request);
  }

  feedback(parts: Parts, namespace: string, feedback: Feedback): Promise<Receipt> {
    return storeFeedback(parts, namespace, feedback);
  }

  /** Drops what was read of anything: something of it was forgotten. */
  forget(): void {
    this.#turns.clear();
  }
}
