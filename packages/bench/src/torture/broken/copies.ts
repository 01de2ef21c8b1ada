import { FillToken } from "../../../../memory/src/coherence/fill-guard.ts";
import { Validity } from "../../../../memory/src/coherence/validity.ts";
import { HotTier } from "../../../../memory/src/tiers/hot/hot-tier.ts";
import { ProcessTier } from "../../../../memory/src/tiers/process/process-tier.ts";
import type { BreakContext } from "./broken.ts";
import { patch } from "./patch.ts";

/** Any answer becomes a copy, whatever changed while it was on its way. */
export function noFillToken(): void {
  patch(FillToken.prototype, "allows", () => () => true);
}

/** Tiers keep whatever they are offered, also over something newer. */
export function noVersionCheck(): void {
  noFillToken();
  patch(HotTier.prototype, "offer", (right) => {
    return function offer(this: HotTier, record) {
      this.drop(record.namespace, record.key, Infinity);
      return right.call(this, record);
    };
  });
  patch(ProcessTier.prototype, "offer", (right) => {
    return function offer(this: ProcessTier, record) {
      this.drop(record.namespace, record.key, Infinity);
      return right.call(this, record);
    };
  });
}

/** Once proven, copies are believed until somebody says otherwise. */
export function noDeadline(): void {
  patch(Validity.prototype, "prove", () => {
    return function prove(this: Validity) {
      this.proveForever();
    };
  });
}

/** A proof counts from its answer rather than from its question. */
export function countFromAnswer({ clock }: BreakContext): void {
  patch(Validity.prototype, "prove", (right) => {
    return function prove(this: Validity) {
      right.call(this, clock.monotonicMs());
    };
  });
}
