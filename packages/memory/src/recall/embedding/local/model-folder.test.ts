import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readModelFolder } from "./model-folder.ts";

const FILES = {
  "config.json": '{"hidden_size":384}',
  "tokenizer.json": "{}",
  "tokenizer_config.json": "{}",
  "onnx/model_quantized.onnx": "weights",
};

type Files = { readonly [file: string]: string | undefined };

/** A folder of this name with these files; undefined leaves one out. */
function folder(name: string, files: Files): string {
  const parent = mkdtempSync(join(tmpdir(), "cherry-model-"));
  onTestFinished(() => rmSync(parent, { recursive: true }));
  for (const [file, text] of Object.entries({ ...FILES, ...files })) {
    const path = join(parent, name, file);
    if (text === undefined) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return join(parent, name);
}

test("a plain model is asked as it is, by the mean of its tokens, quantised where it can be", async () => {
  const path = folder("some-model", {});
  expect(await readModelFolder(path)).toEqual({
    parent: dirname(path),
    name: "some-model",
    dtype: "q8",
    dimensions: 384,
    version: expect.stringMatching(/^[0-9a-f]{16}$/),
    pooling: "mean",
    queryPrefix: "",
    passagePrefix: "",
  });
  const whole = { "onnx/model_quantized.onnx": undefined, "onnx/model.onnx": "weights" };
  expect(await readModelFolder(folder("m", whole))).toMatchObject({ dtype: "fp32" });
});

test("other weights are another version; another place is not", async () => {
  const versionOf = async (files: Files): Promise<string> =>
    (await readModelFolder(folder("m", files))).version;
  const versions = await Promise.all([
    versionOf({}),
    versionOf({}),
    versionOf({ "onnx/model_quantized.onnx": "other" }),
    versionOf({ "tokenizer.json": '{"other":1}' }),
  ]);
  expect(versions[1]).toBe(versions[0]);
  expect(new Set(versions).size).toBe(3);
});

test.each([
  [
    "bge-small-en-v15-q",
    {},
    "cls",
    "Represent this sentence for searching relevant passages: ",
    "",
  ],
  ["bge-m3", {}, "cls", "", ""],
  ["multilingual-e5-small", {}, "mean", "query: ", "passage: "],
  [
    "m",
    { "config.json": '{"hidden_size":8,"_name_or_path":"BAAI/bge-base-en"}' },
    "cls",
    "Represent this sentence for searching relevant passages: ",
    "",
  ],
  ["m", { "1_Pooling/config.json": '{"pooling_mode_cls_token":true}' }, "cls", "", ""],
  ["bge-m3", { "1_Pooling/config.json": '{"pooling_mode_cls_token":false}' }, "mean", "", ""],
  [
    "m",
    { "config_sentence_transformers.json": '{"prompts":{"query":"q: ","document":"d: "}}' },
    "mean",
    "q: ",
    "d: ",
  ],
] as const)("%s with %j is asked as it was trained", async (name, files, pooling, ...prefixes) => {
  expect(await readModelFolder(folder(name, files))).toMatchObject({
    pooling,
    queryPrefix: prefixes[0],
    passagePrefix: prefixes[1],
  });
});

test.each<[string, Files]>([
  ["config.json", { "config.json": undefined }],
  ["config.json is not JSON", { "config.json": "<" }],
  ["hidden_size", { "config.json": "{}" }],
  ["hidden_size", { "config.json": '{"hidden_size":"384"}' }],
  ["tokenizer.json", { "tokenizer.json": undefined }],
  ["tokenizer_config.json", { "tokenizer_config.json": "" }],
  ["onnx/model_quantized.onnx", { "onnx/model_quantized.onnx": undefined }],
])("a folder that lacks %s is refused with its name", async (what, files) => {
  const path = folder("broken", files);
  await expect(readModelFolder(path)).rejects.toMatchObject({
    code: "INVALID_CONFIG",
    message: expect.stringContaining(what),
  });
  await expect(readModelFolder(path)).rejects.toThrow(path);
});

test("a folder that is not there is refused", async () => {
  await expect(readModelFolder("/none/at/all")).rejects.toThrow("there is no such folder");
});
