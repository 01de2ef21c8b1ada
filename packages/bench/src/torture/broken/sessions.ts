import { FollowedSession } from "../../../../memory/src/coherence/session.ts";
import { patch } from "./patch.ts";

/** A session's token demands nothing. */
export function noSessionFloor(): void {
  patch(FollowedSession.prototype, "demand", () => () => ({ minVersion: () => 0 }));
}
