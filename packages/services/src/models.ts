import { existsSync } from "node:fs";
import { join } from "node:path";
import { cachedTool, toolSetting } from "./tools-folder.ts";

/** Sentence models of 384 dimensions that fit in a test: about 25 MB and 35 MB. */
export type SentenceModel = "all-minilm-l6-v2-q" | "bge-small-en-v15-q";

const SETTING = "CHERRY_TEST_MODELS";
const SMALLEST: SentenceModel = "all-minilm-l6-v2-q";

/** The folder that holds a folder for each model, or undefined. */
function findModels(): string | undefined {
  const folder = toolSetting(SETTING) ?? cachedTool("models");
  return folder !== undefined && existsSync(join(folder, SMALLEST)) ? folder : undefined;
}

/** undefined when `sentenceModel` has what it names, otherwise why not. */
export function modelsAvailable(): string | undefined {
  return findModels() === undefined
    ? `no sentence models in the cache nor in ${SETTING} (.ci/tools/models brings them)`
    : undefined;
}

/** The folder of a model: config.json, tokenizer.json, tokenizer_config.json, onnx/. */
export function sentenceModel(name: SentenceModel = SMALLEST): string {
  const folder = findModels();
  if (folder === undefined) throw new Error(modelsAvailable());
  return join(folder, name);
}
