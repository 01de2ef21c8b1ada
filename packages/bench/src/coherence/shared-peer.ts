/** ioredis as one would use it by hand: no version, no proof, no checksum. */
import { Redis } from "ioredis";
import { textOption } from "../harness/contender.ts";
import type { ContenderFactory, ContenderOptions, Contenders } from "../harness/contender.ts";
import { makeKeys, makeTurn } from "../core/workload.ts";
import type { Turn } from "../core/workload.ts";
import { batches, readers } from "./shared-work.ts";

const ITEMS = 1000;
const PREFIX = "raw:";

interface Opened {
  readonly redis: Redis;
  readonly keys: readonly string[];
}

async function open(options: ContenderOptions): Promise<Opened> {
  const redis = new Redis(textOption(options, "redisUrl"));
  const keys = makeKeys(ITEMS).map((key) => PREFIX + key);
  await redis.mset(keys.flatMap((key, index) => [key, JSON.stringify(makeTurn(index))]));
  return { redis, keys };
}

function parse(text: string | null): Turn | undefined {
  return text === null ? undefined : (JSON.parse(text) as Turn);
}

const get: ContenderFactory = async (options) => {
  const { redis, keys } = await open(options);
  const read = async (key: string): Promise<Turn | undefined> => parse(await redis.get(key));
  const close = (): void => redis.disconnect();
  return readers({ keys, read, close }, Number(options["inFlight"]));
};

const getBytes: ContenderFactory = async (options) => {
  const { redis, keys } = await open(options);
  const turn = makeTurn(0);
  const read = async (key: string): Promise<Turn | undefined> =>
    (await redis.getBuffer(key)) === null ? undefined : turn;
  const close = (): void => redis.disconnect();
  return readers({ keys, read, close }, Number(options["inFlight"]));
};

const getMany: ContenderFactory = async (options) => {
  const { redis, keys } = await open(options);
  const read = async (some: readonly string[]): Promise<readonly (Turn | undefined)[]> =>
    (await redis.mget(...some)).map(parse);
  const close = (): void => redis.disconnect();
  return batches({ keys, read, close }, Number(options["batch"]));
};

export const contenders: Contenders = { get, "get bytes": getBytes, "get many": getMany };
