// What devices can be ordered to do: told by a device, and asked for about many.

import { Type } from "@sinclair/typebox";
import { ABILITIES_PATH, MAX_ABILITIES_BYTES } from "../../firmware/core/wire.js";
import { sightOf } from "../auth/require-change.js";
import { takeAbilities } from "../devices/abilities.js";
import { AbilitiesBody, AbilityCountView, readAbilities } from "./ability-schemas.js";
import { ok } from "./answers.js";
import type { Context } from "./context.js";
import { filterOf, selectionFields, selectionOf } from "./device-bulk-routes.js";
import { recordDevice } from "./device-check.js";
import { boundDevice } from "./device-rate.js";
import { list, text } from "./fields.js";
import { actorOf } from "./guard.js";
import { route } from "./route.js";
import { Exactly } from "./schemas.js";
import type { Api } from "./typed-app.js";
import { viewer } from "./view.js";

const viewCount = viewer(AbilityCountView);

export function abilityRoutes(app: Api, context: Context): void {
  app.post(
    ABILITIES_PATH,
    route(
      "device",
      "Tell which orders the device carries out, and which settings it has; when an answer to a check asks for it",
      ok(Type.Object({ digest: text("Not asked for again while its checks have it") })),
      { body: AbilitiesBody, bodyLimit: MAX_ABILITIES_BYTES },
    ),
    async (request) => {
      const told = readAbilities(request.body);
      await boundDevice(context, request, told.device_id);
      await recordDevice(context, request, told.device_id, (journal, isProved) =>
        takeAbilities(journal, told, isProved),
      );
      return { digest: told.digest };
    },
  );

  app.post(
    "/api/devices/abilities",
    route(
      "read",
      "List what many devices can be ordered to do: those listed, or all that match a filter",
      ok(
        Type.Object({
          abilities: list(AbilityCountView, "Most frequent first; devices that told nothing are not counted"),
        }),
      ),
      { body: Exactly(selectionFields), bodyLimit: 512 * 1024 },
    ),
    async (request) => {
      const selection = selectionOf(request.body);
      const sight = sightOf(actorOf(request));
      const counts = await context.store.countAbilities(
        "ids" in selection
          ? { ids: selection.ids, filter: sight }
          : { filter: { ...filterOf(selection.filter, context), ...sight } },
      );
      return { abilities: counts.map((one) => viewCount(one)) };
    },
  );
}
