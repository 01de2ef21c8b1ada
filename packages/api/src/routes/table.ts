import type { Route } from "../http/route.ts";
import { adminRoutes } from "./admin.ts";
import { batchRoutes } from "./batch.ts";
import { changeRoutes } from "./changes.ts";
import { exportRoutes } from "./export.ts";
import { forgetRoutes } from "./forget.ts";
import { importRoutes } from "./import.ts";
import { itemRoutes } from "./items.ts";
import { openApiRoute } from "./openapi.ts";
import { probeRoutes } from "./probes.ts";
import { recallRoutes } from "./recall.ts";
import { searchRoutes } from "./search.ts";

const documented: readonly Route[] = [
  // The router looks in this order, and items are what most requests ask for.
  ...itemRoutes,
  ...batchRoutes,
  ...searchRoutes,
  ...recallRoutes,
  ...forgetRoutes,
  ...exportRoutes,
  ...importRoutes,
  ...changeRoutes,
  ...adminRoutes,
  ...probeRoutes,
];

/** Every route of the server. */
export const ROUTES: readonly Route[] = [...documented, openApiRoute(documented)];
