import type { Budget } from "./budget.ts";
import type { RateLimits } from "./rate-limit.ts";

/** What makes vectors, and within which bounds. */
export interface EmbeddingsConfig {
  /** `lexical`, `local:FOLDER` or `openai:URL`. Default "lexical". */
  readonly provider: string;
  /** Of an endpoint: the name it knows the model by. */
  readonly model?: string;
  /** Of an endpoint: numbers in its vectors, unless its model is a known one. Of the others: a check. */
  readonly dimensions?: number;
  readonly apiKey?: string;
  /** Holds the key alone, read for every request: rotation needs no restart. */
  readonly apiKeyFile?: string;
  /** One request to an endpoint, milliseconds. Default 30000. */
  readonly timeoutMs: number;
  /** What one server asks of an endpoint in any sixty seconds. Default: no limit of ours. */
  readonly rate: RateLimits;
  /** What one server may spend in a day (UTC). Default: no limit of ours. */
  readonly budget: Budget;
  /** How long a vector is kept for the next time its text comes; 0 keeps none. Default one day. */
  readonly cacheSeconds: number;
}

export type Provider =
  | { readonly kind: "lexical" }
  | { readonly kind: "local"; readonly folder: string }
  | { readonly kind: "openai"; readonly url: string };

/** Undefined when it is none. */
export function parseProvider(text: string): Provider | undefined {
  if (text === "lexical") return { kind: "lexical" };
  const colon = text.indexOf(":");
  const rest = text.slice(colon + 1).trim();
  if (colon < 0 || rest === "") return undefined;
  const kind = text.slice(0, colon);
  if (kind === "local") return { kind, folder: rest };
  return kind === "openai" ? { kind, url: rest } : undefined;
}

const KNOWN_DIMENSIONS: ReadonlyMap<string, number> = new Map([
  ["text-embedding-3-small", 1536],
  ["text-embedding-3-large", 3072],
  ["text-embedding-ada-002", 1536],
]);

/** Of the vectors of an endpoint's model, as far as it is known without asking. */
export function dimensionsOf({
  model,
  dimensions,
}: Pick<EmbeddingsConfig, "dimensions" | "model">): number | undefined {
  return dimensions ?? KNOWN_DIMENSIONS.get(model ?? "");
}

export interface SettingProblem {
  readonly field: string;
  readonly expected: string;
}

/** What does not go together, each with the field to change; never with a value, which may be secret. */
export function settingProblems(config: EmbeddingsConfig): readonly SettingProblem[] {
  const problems: SettingProblem[] = [];
  const expect = (isMet: boolean, field: string, expected: string): void => {
    if (!isMet) problems.push({ field, expected });
  };
  const provider = parseProvider(config.provider);
  expect(
    provider !== undefined,
    "provider",
    "expected lexical, local:FOLDER or openai:URL (CHERRY_EMBEDDINGS)",
  );
  if (provider?.kind === "openai") {
    const urlFault = faultOfUrl(provider.url);
    expect(urlFault === undefined, "provider", `${urlFault} (CHERRY_EMBEDDINGS)`);
    expect(
      config.model !== undefined,
      "model",
      "expected the name of the endpoint's model (CHERRY_EMBEDDINGS_MODEL)",
    );
    expect(
      config.model === undefined || dimensionsOf(config) !== undefined,
      "dimensions",
      "expected the dimensions of the vectors of a model that is not known here (CHERRY_EMBEDDINGS_DIMENSIONS)",
    );
  } else {
    expect(
      config.model === undefined,
      "model",
      "expected none: only an endpoint, openai:URL, has models to choose from (CHERRY_EMBEDDINGS_MODEL)",
    );
  }
  const { usdPerDay, usdPerMillionTokens } = config.budget;
  expect(
    usdPerDay === undefined || usdPerMillionTokens !== undefined,
    "budget.usdPerMillionTokens",
    "expected the model's price beside usdPerDay",
  );
  return problems;
}

function faultOfUrl(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || !["http:", "https:"].includes(url.protocol))
    return "expected http:// or https:// after openai:";
  // They could not be sent, but errors would show them.
  if (url.username !== "" || url.password !== "")
    return "expected no user or password in the URL; the key goes into CHERRY_EMBEDDINGS_API_KEY";
  return undefined;
}
