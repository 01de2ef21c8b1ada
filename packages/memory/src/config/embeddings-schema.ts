import { z } from "zod";
import type { EmbeddingsConfig } from "../recall/embedding/settings.ts";
import { settingProblems } from "../recall/embedding/settings.ts";

/** Beyond this no index takes a vector. */
const DIMENSIONS_MAX = 4000;
const YEAR_SECONDS = 366 * 24 * 3600;

const wholePositive = z.number().int().positive();
const positive = z.number().positive().finite();

/** Undefined stands for "left out", as everywhere in a config that was merged. */
const shape = z.strictObject({
  provider: z.string(),
  model: z.string().min(1).max(200).optional(),
  dimensions: wholePositive.max(DIMENSIONS_MAX).optional(),
  apiKey: z
    .string()
    .regex(/^[\x21-\x7e]+$/, "expected visible ASCII characters")
    .optional(),
  apiKeyFile: z.string().min(1).optional(),
  timeoutMs: z.number().min(100).max(600_000),
  rate: z.strictObject({
    requestsPerMinute: wholePositive.optional(),
    tokensPerMinute: wholePositive.optional(),
  }),
  budget: z.strictObject({
    tokensPerDay: wholePositive.optional(),
    usdPerDay: positive.optional(),
    usdPerMillionTokens: positive.optional(),
  }),
  cacheSeconds: z.number().min(0).max(YEAR_SECONDS),
});

export const embeddingsSchema: z.ZodType = shape.superRefine((config, context) => {
  // Checked just above; optional fields of zod may be undefined, which ours are not.
  for (const { field, expected } of settingProblems(config as EmbeddingsConfig))
    context.addIssue({ code: "custom", path: field.split("."), message: expected });
});
