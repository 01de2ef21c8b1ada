/** Contenders for the tests of the harness. */
import type { Contenders } from "./contender.ts";

export const contenders: Contenders = {
  "process id": async () => ({
    run: (operations) => operations,
    figures: () => ({ pid: process.pid }),
    close: () => {},
  }),
  broken: async () => {
    throw new Error("cannot be made");
  },
};
