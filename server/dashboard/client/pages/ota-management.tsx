// Releases, rollouts and systems, and the forms for new ones.

import { useState } from "preact/hooks";
import type { FirmwareView, TypeView } from "../../../api/release-views.js";
import type { RolloutView } from "../../../shared/rollout-view.js";
import { useMay } from "../actor.js";
import { useData, withParams } from "../data.js";
import type { PageProps } from "../page-props.js";
import { Button } from "../parts/button.js";
import { Heading } from "../parts/heading.js";
import { Empty, Loading } from "../parts/notes.js";
import { Pager } from "../parts/pager.js";
import { readOffset } from "../parts/pages-of-list.js";
import { Releases } from "../releases/list.js";
import { Upload } from "../releases/upload.js";
import { RolloutCard } from "../rollouts/card.js";
import { go, Link, withQuery } from "../router.js";
import { Systems } from "../systems/list.js";

const RELEASE_LIMIT = 20;
const ROLLOUT_LIMIT = 10;

interface ReleasesAnswer {
  readonly firmware: readonly FirmwareView[];
  readonly total: number;
}
interface RolloutsAnswer {
  readonly rollouts: readonly RolloutView[];
  readonly total: number;
}
interface TypesAnswer {
  readonly types: readonly TypeView[];
}

export function OtaManagement({ place, model, now }: PageProps) {
  const releaseOffset = readOffset(place.query.get("releases"));
  const rolloutOffset = readOffset(place.query.get("rollouts"));
  const releases = useData<ReleasesAnswer>(
    withParams("/api/ota/admin/firmware", { limit: RELEASE_LIMIT, offset: releaseOffset }),
    ["firmware"],
  );
  const rollouts = useData<RolloutsAnswer>(
    withParams("/api/rollouts", { limit: ROLLOUT_LIMIT, offset: rolloutOffset }),
    ["rollout"],
  );
  const mayUpload = useMay("releases:write");
  const mayRoll = useMay("rollouts:write");
  const types = useData<TypesAnswer>(mayUpload ? "/api/types" : undefined);
  const [isUploading, setIsUploading] = useState(false);
  const [newId, setNewId] = useState<number>();
  const legacyTypes = (types.data?.types ?? [])
    .filter(({ kind }) => kind === "legacy")
    .map(({ name }) => name);
  const hasNoRelease = releases.data?.total === 0;
  return (
    <>
      <Heading title="Updates">
        <span class="actions">
          {mayUpload && !hasNoRelease && (
            <Button isExpanded={isUploading} onClick={() => setIsUploading(!isUploading)}>
              Upload a release
            </Button>
          )}
          {mayRoll && !hasNoRelease && (
            <Link class="button" to="/ota-management/rollouts/new">
              New rollout
            </Link>
          )}
        </span>
      </Heading>
      {mayUpload && (isUploading || hasNoRelease) && (
        <Upload
          legacyTypes={legacyTypes}
          onDone={(id) => {
            setIsUploading(true);
            setNewId(id);
            if (releaseOffset > 0) go(withQuery(place, { releases: "" }), true);
            releases.reload();
          }}
        />
      )}
      <h2>Rollouts</h2>
      <Loading {...rollouts} />
      {rollouts.data?.total === 0 && (
        <Empty title="No rollouts yet">
          A rollout delivers a release in stages, and pauses automatically if updates fail.{" "}
          {mayRoll && !hasNoRelease && <Link to="/ota-management/rollouts/new">Plan the first one</Link>}
        </Empty>
      )}
      <div class="rollouts">
        {rollouts.data?.rollouts.map((rollout) => (
          <RolloutCard key={rollout.id} rollout={rollout} />
        ))}
      </div>
      {rollouts.data && rollouts.data.total > ROLLOUT_LIMIT && (
        <Pager
          {...{ place, name: "rollouts", offset: rolloutOffset, limit: ROLLOUT_LIMIT }}
          total={rollouts.data.total}
        />
      )}
      <Systems now={now + model.clockOffsetMs} />
      <h2>Releases</h2>
      <Loading {...releases} />
      {hasNoRelease && (
        <Empty title="No releases yet">
          {mayUpload ? "Upload one above" : "Sign in to upload one"}, or with{" "}
          <code>skyslot release upload FIRMWARE.bin</code>.
        </Empty>
      )}
      {releases.data && releases.data.total > 0 && (
        <>
          <Releases
            releases={releases.data.firmware}
            now={now + model.clockOffsetMs}
            onChange={releases.reload}
            newId={newId}
          />
          {releases.data.total > RELEASE_LIMIT && (
            <Pager
              {...{ place, name: "releases", offset: releaseOffset, limit: RELEASE_LIMIT }}
              total={releases.data.total}
            />
          )}
        </>
      )}
    </>
  );
}
