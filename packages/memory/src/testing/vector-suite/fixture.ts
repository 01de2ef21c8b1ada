import type { Random } from "../../model/clock.ts";
import type {
  EntryFields,
  IndexVersion,
  NearestRequest,
  VectorEntry,
  VectorHit,
  VectorTier,
} from "../../tiers/vector.ts";
import type { SuiteCase } from "../suite.ts";

/** How the suite reaches the vector tier under test. */
export interface VectorTierMaker {
  /** Another server's way to one and the same tier, initialized. */
  readonly open: () => Promise<VectorTier>;
  /** Entries of the recall cases; default 2000. */
  readonly recallRows?: number;
}

export const DIMENSIONS = 8;
const MODEL = "suite";

let numbersGiven = 0;

/** One case: index versions and a namespace of its own, so that cases may share a tier. */
export class VectorFixture {
  readonly #maker: VectorTierMaker;
  readonly #opened: VectorTier[] = [];
  readonly #made: IndexVersion[] = [];
  /** The process id, so that two runs over one tier do not meet. */
  readonly root: string = `suite-${process.pid}-${(numbersGiven += 1)}`;

  constructor(maker: VectorTierMaker) {
    this.#maker = maker;
  }

  get recallRows(): number {
    return this.#maker.recallRows ?? 2000;
  }

  async open(): Promise<VectorTier> {
    const tier = await this.#maker.open();
    this.#opened.push(tier);
    return tier;
  }

  /** An index version that nobody has made yet, and that goes with the case. */
  plan(dimensions: number = DIMENSIONS): IndexVersion {
    numbersGiven += 1;
    const index = { number: numbersGiven, model: MODEL, dimensions };
    this.#made.push(index);
    return index;
  }

  /** A tier with an index version in it. */
  async start(dimensions?: number): Promise<{ tier: VectorTier; index: number }> {
    const tier = await this.open();
    const planned = this.plan(dimensions);
    await tier.ensureIndex(planned);
    return { tier, index: planned.number };
  }

  async close(): Promise<void> {
    const [first] = this.#opened;
    for (const { number } of this.#made) await first?.dropIndex(number);
    for (const tier of this.#opened) await tier.close();
  }
}

export function vectorCase(
  maker: VectorTierMaker,
  name: string,
  body: (fixture: VectorFixture) => Promise<void>,
): SuiteCase {
  return {
    name,
    run: async () => {
      const fixture = new VectorFixture(maker);
      try {
        await body(fixture);
      } finally {
        await fixture.close();
      }
    },
  };
}

/** The vector of the given parts, the rest zeros. */
export function vectorOf(parts: readonly number[], dimensions: number = DIMENSIONS): Float32Array {
  const vector = new Float32Array(dimensions);
  vector.set(parts);
  return vector;
}

/** A direction between the first two axes: nearer to `vectorOf([1])` the smaller the angle. */
export function angled(degrees: number, dimensions: number = DIMENSIONS): Float32Array {
  const angle = (degrees * Math.PI) / 180;
  return vectorOf([Math.cos(angle), Math.sin(angle)], dimensions);
}

export function entryOf(
  namespace: string,
  key: string,
  more: Partial<VectorEntry> & { readonly fields?: EntryFields } = {},
): VectorEntry {
  return { namespace, key, itemVersion: 1, vector: vectorOf([1]), ...more };
}

/** Asks for what is nearest to the first axis. */
export async function hitsOf(
  tier: VectorTier,
  request: Partial<NearestRequest> & { readonly index: number; readonly namespace: string },
): Promise<readonly VectorHit[]> {
  const { hits } = await tier.nearest({
    below: false,
    vector: vectorOf([1]),
    limit: 10,
    ...request,
  });
  return hits;
}

export async function keysOf(
  tier: VectorTier,
  request: Partial<NearestRequest> & { readonly index: number; readonly namespace: string },
): Promise<readonly string[]> {
  return (await hitsOf(tier, request)).map(({ key }) => key);
}

/** Normally distributed, by Box and Muller. */
export function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
