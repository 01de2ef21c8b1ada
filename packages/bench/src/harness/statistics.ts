import type { Sample } from "./contender.ts";
import type { Rounds } from "./race.ts";

/** The middle one; the mean of the middle two when their number is even. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error("expected at least one value");
  const sorted = values.toSorted((left, right) => left - right);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** The value that so large a part of all values does not exceed. Sorts in place. */
export function percentile(values: Float64Array, part: number): number {
  values.sort();
  const index = Math.min(values.length - 1, Math.ceil(values.length * part) - 1);
  return values[Math.max(0, index)] ?? Number.NaN;
}

/** Operations a second in each round. */
export function rates(samples: readonly Sample[]): number[] {
  return samples.map((sample) => (sample.operations / sample.elapsedMs) * 1000);
}

/**
 * Operations a second of processor time in each round. For work that never waits it is the same as
 * the rate on a machine of one's own, and stays so when others want the machine too.
 */
export function cpuRates(samples: readonly Sample[]): number[] {
  return samples.map((sample) => (sample.operations / sample.cpuMs) * 1000);
}

/** Processor time of one operation in each round, µs. */
export function cpuUs(samples: readonly Sample[]): number[] {
  return samples.map((sample) => (sample.cpuMs / sample.operations) * 1000);
}

/** One figure in each round. */
export function figure(samples: readonly Sample[], name: string): number[] {
  return samples.map((sample) => sample.figures[name] ?? Number.NaN);
}

/** Samples of one entrant. */
export function samplesOf(rounds: Rounds, name: string): readonly Sample[] {
  const samples = rounds.get(name);
  if (samples === undefined) throw new Error(`no samples of ${name}`);
  return samples;
}

/** Of several processes' figures, their mean in each round. */
export function meanOfEach(processes: readonly (readonly number[])[]): number[] {
  const [first = []] = processes;
  return first.map((_, round) => {
    const sum = processes.reduce((total, figures) => total + (figures[round] ?? Number.NaN), 0);
    return sum / processes.length;
  });
}

/** Median over the rounds of ours / theirs: both of one round met the same machine. */
export function medianRatio(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((value, round) => value / (theirs[round] ?? Number.NaN)));
}
