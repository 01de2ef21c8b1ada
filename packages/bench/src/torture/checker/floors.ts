import type { Read } from "../history/history.ts";
import type { Placed } from "./placing.ts";

/** Something that had surely happened at a time. */
export interface Mark {
  readonly at: number;
  /** Nothing below this version may be shown afterwards; undefined: not known. */
  readonly version: number | undefined;
  /** What was done before this time may not be shown afterwards either. */
  readonly start: number;
  /** The put that must show, or something newer. */
  readonly put: Placed | undefined;
  /** The read that told of it, if one did. */
  readonly toldBy?: Read;
}

export interface Floor {
  readonly version: number;
  readonly start: number;
  /** The newest puts by version and by time; where nothing shows, each needs an excuse. */
  readonly puts: readonly Placed[];
  /** The read that told of the version, if one did. */
  readonly toldBy: Read | undefined;
}

const NOTHING: Floor = { version: -Infinity, start: -Infinity, puts: [], toldBy: undefined };

/** For any moment the least that a read which begins then must show. */
export class Floors {
  readonly #times: number[] = [];
  readonly #floors: Floor[] = [];

  constructor(marks: readonly Mark[]) {
    let floor = NOTHING;
    let byVersion: Placed | undefined;
    let byStart: Placed | undefined;
    for (const mark of marks.toSorted((left, right) => left.at - right.at)) {
      const { put } = mark;
      if (put !== undefined) {
        if ((put.version ?? -Infinity) > (byVersion?.version ?? -Infinity)) byVersion = put;
        if (put.write.start > (byStart?.write.start ?? -Infinity)) byStart = put;
      }
      floor = {
        version: Math.max(floor.version, mark.version ?? -Infinity),
        start: Math.max(floor.start, mark.start),
        toldBy: (mark.version ?? -Infinity) > floor.version ? mark.toldBy : floor.toldBy,
        puts: [byVersion, byStart].filter((one) => one !== undefined),
      };
      this.#times.push(mark.at);
      this.#floors.push(floor);
    }
  }

  /** Of all that had happened before `time`. */
  before(time: number): Floor {
    let low = 0;
    let high = this.#times.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#times[middle] ?? Infinity) < time) low = middle + 1;
      else high = middle;
    }
    return this.#floors[low - 1] ?? NOTHING;
  }
}

/** Whether what is shown is surely older than the floor. */
export function isBelow(shown: Placed, floor: Floor): boolean {
  if (shown.version !== undefined && shown.version < floor.version) return true;
  return shown.doneBy < floor.start;
}
