// Answers to hawkBit clients: links, and an action with its one artifact.

import { type Static, Type } from "@sinclair/typebox";
import type { FastifyRequest } from "fastify";
import type { Context } from "../api/context.js";
import { integer, list, named, text } from "../api/fields.js";
import { absoluteUrl } from "../api/http/links.js";
import { ENDED_BY_SERVER, type Firmware, type Store, type Update } from "../store/store.js";

/** A device as hawkBit names it in a path. */
export interface Controller {
  /** The device type. */
  readonly tenant: string;
  readonly id: string;
}

const DEFAULT_POLL_SECONDS = 120;

const Link = named("HawkbitLink", "A link", { href: text("Absolute URL") });
export const NOTHING = Type.Object({}, { description: "Empty" });
export const PollView = named("HawkbitPoll", "When to poll again, and what to do", {
  config: Type.Object({ polling: Type.Object({ sleep: text("HH:MM:SS") }) }),
  _links: Type.Object({
    configData: Type.Optional(Link),
    deploymentBase: Type.Optional(Link),
    cancelAction: Type.Optional(Link),
  }),
});
export const CancelView = Type.Object({
  id: text("The attempt"),
  cancelAction: Type.Object({ stopId: text() }),
});
const Artifact = Type.Object({
  filename: text(),
  hashes: Type.Object({
    sha1: Type.Optional(text()),
    md5: Type.Optional(text()),
    sha256: text("Hex"),
  }),
  size: integer("Bytes"),
  _links: Type.Object({ download: Link, "download-http": Link }),
});
export const DeploymentView = named("HawkbitDeployment", "What to install", {
  id: text("The attempt"),
  deployment: Type.Object({
    download: text(),
    update: text(),
    chunks: list(Type.Object({ part: text(), name: text(), version: text(), artifacts: list(Artifact) })),
  }),
});

/** The step of an attempt that the server has ended, once its client knows. */
export const CANCEL_HEARD = "cancel-heard";
/** The step of an attempt that the client has fetched. It may send nothing more until it has the whole file. */
export const RETRIEVED = "retrieved";

/** Whether the server ended it, so that the client must be notified. */
export const isEndedHere = ({ status, errorCode }: Update): boolean =>
  status === "failed" && ENDED_BY_SERVER.includes(errorCode ?? "");

/** The links of a poll's answer. */
export async function linksFor(
  request: FastifyRequest<{ Params: Controller }>,
  context: Context,
  store: Store,
) {
  const { id } = request.params;
  const base = baseOf(request, context);
  const open = await store.findOpenUpdate(id);
  // However many were offered since: those that the client has not begun tell it nothing.
  const begun = await store.findLastBegunUpdate(id);
  const ended = begun && isEndedHere(begun) && begun.step !== CANCEL_HEARD ? begun : undefined;
  const link = (path: string) => ({ href: `${base}/${path}` });
  return {
    ...((await store.findAttributes(id)) ? {} : { configData: link("configData") }),
    // One at a time: the old action must end first.
    ...(ended
      ? { cancelAction: link(`cancelAction/${ended.id}`) }
      : open
        ? { deploymentBase: link(`deploymentBase/${open.id}`) }
        : {}),
  };
}

export function viewDeployment(
  attempt: Update,
  firmware: Firmware,
  base: string,
): Static<typeof DeploymentView> {
  const href = `${base}/deploymentBase/${attempt.id}/artifacts/${encodeURIComponent(firmware.filename)}`;
  const { sha1, md5, fileHash: sha256 } = firmware;
  return {
    id: `${attempt.id}`,
    deployment: {
      download: "forced",
      update: "forced",
      chunks: [
        {
          part: "firmware",
          name: firmware.deviceType,
          version: firmware.version,
          artifacts: [
            {
              filename: firmware.filename,
              hashes: { ...(sha1 === null ? {} : { sha1 }), ...(md5 === null ? {} : { md5 }), sha256 },
              size: firmware.fileSize,
              _links: { download: { href }, "download-http": { href } },
            },
          ],
        },
      ],
    },
  };
}

/** Links have to be absolute. */
export function baseOf(request: FastifyRequest<{ Params: Controller }>, context: Context): string {
  const { tenant, id } = request.params;
  return absoluteUrl(request, context, `/${tenant}/controller/v1/${encodeURIComponent(id)}`);
}

/** When to poll again: "HH:MM:SS". */
export function sleepOf({ settings }: Pick<Context, "settings">): string {
  const seconds = Math.min(settings.pollSeconds ?? DEFAULT_POLL_SECONDS, 86_399);
  return new Date(seconds * 1000).toISOString().slice(11, 19);
}
