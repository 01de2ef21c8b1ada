import { createHash } from "node:crypto";
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { MemoryError } from "../../../model/errors.ts";

/** What the worker must know to run a model. */
export interface ModelSettings {
  /** The folder above, and the name of the folder in it: how the runtime asks for models. */
  readonly parent: string;
  readonly name: string;
  readonly dtype: "fp32" | "q8";
  /** Of the vectors of a text's tokens: their mean, or that of the first, which stands for the text. */
  readonly pooling: "cls" | "mean";
}

export interface ModelFolder extends ModelSettings {
  readonly dimensions: number;
  /** Of the files: the same name with other weights is another model. */
  readonly version: string;
  readonly queryPrefix: string;
  readonly passagePrefix: string;
}

interface Habit {
  readonly names: RegExp;
  readonly pooling: ModelSettings["pooling"];
  readonly queryPrefix: string;
  readonly passagePrefix: string;
}

/** How families of models were trained to be asked, where their folder does not say. */
const HABITS: readonly Habit[] = [
  {
    names: /bge-(small|base|large)-en/i,
    pooling: "cls",
    queryPrefix: "Represent this sentence for searching relevant passages: ",
    passagePrefix: "",
  },
  { names: /bge-/i, pooling: "cls", queryPrefix: "", passagePrefix: "" },
  { names: /(^|[-/])e5-/i, pooling: "mean", queryPrefix: "query: ", passagePrefix: "passage: " },
];
const NO_HABIT: Habit = { names: /^/, pooling: "mean", queryPrefix: "", passagePrefix: "" };

const WEIGHTS: readonly (readonly [string, ModelSettings["dtype"]])[] = [
  ["model_quantized.onnx", "q8"],
  ["model.onnx", "fp32"],
];
const VERSION_CHARS = 16;

/**
 * What lies in the folder of a model, laid out as Hugging Face lays it out for ONNX: config.json,
 * tokenizer.json, tokenizer_config.json, onnx/model_quantized.onnx or onnx/model.onnx. INVALID_CONFIG
 * says what is missing.
 */
export async function readModelFolder(path: string): Promise<ModelFolder> {
  const folder = resolve(path);
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw damaged(folder, "there is no such folder");
  const config = readJson(folder, "config.json");
  const dimensions = config["hidden_size"] ?? config["dim"];
  if (typeof dimensions !== "number" || !Number.isSafeInteger(dimensions) || dimensions < 1)
    throw damaged(folder, "its config.json has no hidden_size, the dimensions of its vectors");
  for (const needed of ["tokenizer.json", "tokenizer_config.json"]) readJson(folder, needed);
  const found = WEIGHTS.find(([file]) => existsSync(join(folder, "onnx", file)));
  if (found === undefined)
    throw damaged(folder, "it has neither onnx/model_quantized.onnx nor onnx/model.onnx");
  const [weights, dtype] = found;
  const name = basename(folder);
  const origin = config["_name_or_path"];
  return {
    parent: dirname(folder),
    name,
    dtype,
    dimensions,
    version: await versionOf([join(folder, "onnx", weights), join(folder, "tokenizer.json")]),
    ...habitsOf(folder, typeof origin === "string" ? `${name} ${origin}` : name),
  };
}

function habitsOf(
  folder: string,
  names: string,
): Pick<ModelFolder, "passagePrefix" | "pooling" | "queryPrefix"> {
  const habit = HABITS.find((each) => each.names.test(names)) ?? NO_HABIT;
  const pooling = readJson(folder, "1_Pooling/config.json", { isOptional: true });
  const sentences = readJson(folder, "config_sentence_transformers.json", { isOptional: true });
  const prompts = fieldsOf(sentences["prompts"]);
  const isCls = pooling["pooling_mode_cls_token"];
  const said = (value: unknown, standard: string): string =>
    typeof value === "string" ? value : standard;
  return {
    pooling: typeof isCls === "boolean" ? (isCls ? "cls" : "mean") : habit.pooling,
    queryPrefix: said(prompts["query"], habit.queryPrefix),
    passagePrefix: said(prompts["document"] ?? prompts["passage"], habit.passagePrefix),
  };
}

type Fields = { readonly [name: string]: unknown };

function readJson(folder: string, file: string, { isOptional = false } = {}): Fields {
  const path = join(folder, file);
  if (!existsSync(path)) {
    if (isOptional) return {};
    throw damaged(folder, `it has no ${file}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw damaged(folder, `its ${file} is not JSON`, cause);
  }
  return fieldsOf(value);
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

async function versionOf(files: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  // Read in pieces: weights are as large as a gigabyte.
  for (const file of files) await pipeline(createReadStream(file), hash, { end: false });
  return hash.digest("hex").slice(0, VERSION_CHARS);
}

export function damaged(folder: string, fault: string, cause?: unknown): MemoryError {
  return new MemoryError(
    "INVALID_CONFIG",
    `the model in ${JSON.stringify(folder)} cannot be used: ${fault}; expected a sentence model in ONNX form, with config.json, tokenizer.json, tokenizer_config.json and onnx/model_quantized.onnx or onnx/model.onnx`,
    { field: "CHERRY_EMBEDDINGS", ...(cause === undefined ? {} : { cause }) },
  );
}
