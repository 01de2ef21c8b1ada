import type { EphemeralResult, LeaseRequest, SettleOutcome } from "../../src/tiers/shared.ts";

/** What one key may hold. */
type Slot =
  | { readonly kind: "hole" }
  | { readonly kind: "copy"; readonly version: number; readonly provenAt: number }
  | { readonly kind: "marker"; readonly version: number }
  | {
      readonly kind: "lease";
      readonly floor: number;
      readonly owner: number;
      readonly lives: boolean;
    }
  | {
      readonly kind: "ephemeral";
      readonly version: number;
      readonly provenAt: number;
      readonly baseVersion: number;
    };

type Condition = number | "absent" | "present" | undefined;

const HOLE: Slot = { kind: "hole" };

function markerOrHole(version: number): Slot {
  return version > 0 ? { kind: "marker", version } : HOLE;
}

/**
 * The rules of one key as plain code, to compare the scripts with. It does not know what versions
 * ephemeral items get: those are told to it.
 */
export class SlotModel {
  #slot: Slot = HOLE;
  #leases = 0;

  get slot(): Slot {
    return this.#slot;
  }

  forget(): void {
    this.#slot = HOLE;
  }

  leaseRunsOut(): void {
    if (this.#slot.kind !== "lease") return;
    this.#slot = { ...this.#slot, lives: false };
  }

  /** The owner's number, or undefined. */
  lease({
    minVersion,
    minProvenAt,
  }: Pick<LeaseRequest, "minVersion" | "minProvenAt">): number | undefined {
    const slot = this.#slot;
    let floor = minVersion;
    if (slot.kind === "lease" && slot.lives) {
      this.#slot = { ...slot, floor: Math.max(slot.floor, minVersion) };
      return undefined;
    }
    if (slot.kind === "lease") floor = Math.max(floor, slot.floor);
    if (slot.kind === "marker") floor = Math.max(floor, slot.version);
    if (slot.kind === "copy") {
      if (slot.version >= minVersion && slot.provenAt > minProvenAt) return undefined;
      floor = Math.max(floor, slot.version);
    }
    if (slot.kind === "ephemeral" && slot.baseVersion >= minVersion) return undefined;
    this.#leases += 1;
    this.#slot = { kind: "lease", floor, owner: this.#leases, lives: true };
    return this.#leases;
  }

  #isHeldBy(owner: number): boolean {
    return this.#slot.kind === "lease" && this.#slot.lives && this.#slot.owner === owner;
  }

  fill(owner: number, version: number, provenAt: number): boolean {
    if (this.#slot.kind !== "lease" || !this.#isHeldBy(owner)) return false;
    const isOld = version < this.#slot.floor;
    this.#slot = isOld ? markerOrHole(this.#slot.floor) : { kind: "copy", version, provenAt };
    return !isOld;
  }

  release(owner: number): void {
    if (this.#slot.kind !== "lease" || this.#slot.owner !== owner) return;
    this.#slot = markerOrHole(this.#slot.floor);
  }

  #known(): number {
    const slot = this.#slot;
    if (slot.kind === "hole") return -1;
    if (slot.kind === "lease") return slot.floor;
    return slot.kind === "ephemeral" ? slot.baseVersion : slot.version;
  }

  settle(version: number, provenAt: number | undefined): SettleOutcome {
    const { kind } = this.#slot;
    if (this.#known() >= version) return "older";
    if (provenAt === undefined || kind === "hole" || kind === "lease") {
      this.#slot = { kind: "marker", version };
      return "marked";
    }
    this.#slot = { kind: "copy", version, provenAt };
    return "stored";
  }

  /** `made` is the version that the tier answered with, where it wrote. */
  ephemeral(
    operation: "put" | "touch" | "remove",
    condition: Condition,
    rest: { readonly made: number; readonly provenAt: number; readonly baseVersion: number },
  ): EphemeralResult {
    const slot = this.#slot;
    const live = slot.kind === "ephemeral" ? slot : undefined;
    const holds =
      condition === undefined ||
      (condition === "absent"
        ? live === undefined
        : live !== undefined && (condition === "present" || condition === live.version));
    if (!holds) return { status: "conflict", currentVersion: live?.version ?? null };
    const { made } = rest;
    if (operation === "put") {
      if (live === undefined && this.#known() > rest.baseVersion)
        return { status: "durable", version: this.#known() };
      const provenAt = Math.max(rest.provenAt, live?.provenAt ?? 0);
      const baseVersion = Math.max(rest.baseVersion, live?.baseVersion ?? 0);
      this.#slot = { kind: "ephemeral", version: made, provenAt, baseVersion };
      return { status: "written", version: made, existed: live !== undefined };
    }
    if (live === undefined) return { status: "written", version: 0, existed: false };
    if (operation === "remove") {
      this.#slot = HOLE;
      return { status: "written", version: live.version, existed: true };
    }
    this.#slot = { ...live, version: made };
    return { status: "written", version: made, existed: true };
  }

  prove(version: number, provenAt: number, baseVersion: number): void {
    const slot = this.#slot;
    if (slot.kind !== "ephemeral" || slot.version !== version) return;
    this.#slot = {
      ...slot,
      provenAt: Math.max(slot.provenAt, provenAt),
      baseVersion: Math.max(slot.baseVersion, baseVersion),
    };
  }
}
