// The page about panels: pictures, their assignments, and what one device shows now.

import { useState } from "preact/hooks";
import type { AssignmentView, ImageView, ShownView } from "../../../api/content-views.js";
import { onServer } from "../base.js";
import { useAction } from "../data.js";
import { Button } from "../parts/button.js";
import { TextField } from "../parts/fields.js";
import { Form } from "../parts/form.js";
import { Heading } from "../parts/heading.js";
import { Problem } from "../parts/notes.js";
import { AssignForm, describeTarget } from "./assign-form.js";
import { deleteImage, findShown, unassign, useAssignments, useImages } from "./calls.js";
import { StoredPicture } from "./dot-view.js";
import { describe, STATE_WORDS, stateOf } from "./schedule.js";
import type { ContentPageProps } from "./upload.js";
import "./content.css";

export function ContentAdmin({ mayChange }: ContentPageProps) {
  const images = useImages();
  const assignments = useAssignments();
  const onChange = () => {
    images.reload();
    assignments.reload();
  };
  return (
    <div class="content">
      <Heading title="What panels show">
        {mayChange && (
          <a class="button" href={onServer("/upload")}>
            New picture
          </a>
        )}
      </Heading>
      <Problem text={images.problem || assignments.problem} />
      {images.data && assignments.data ? (
        <Lists {...images.data} assigned={assignments.data} {...{ mayChange, onChange }} />
      ) : (
        <p class="quiet">Loading…</p>
      )}
    </div>
  );
}

type ListsProps = ContentPageProps &
  NonNullable<ReturnType<typeof useImages>["data"]> & {
    readonly assigned: NonNullable<ReturnType<typeof useAssignments>["data"]>;
    readonly onChange: () => void;
  };

function Lists({
  images,
  total,
  assigned: { assignments, total: assignedTotal },
  mayChange,
  onChange,
}: ListsProps) {
  return (
    <>
      <h2>Pictures</h2>
      {total === 0 && (
        <p class="card quiet">
          There are no pictures yet. <a href={onServer("/upload")}>Create one</a>: it is cropped and dithered
          in the browser.
        </p>
      )}
      <ul class="pictures">
        {images.map((image) => (
          <Picture key={image.id} {...{ image, mayChange, onChange }} />
        ))}
      </ul>
      <Rest count={images.length} total={total} />
      <h2>Assignments</h2>
      <p class="quiet">
        A device shows the most specific assignment: device, then group, type, all panels. If several apply,
        the newest active one wins.
      </p>
      {assignedTotal === 0 && <p class="card quiet">Nothing is assigned yet.</p>}
      <ul class="assignments">
        {assignments.map((assignment) => (
          <Assignment
            key={assignment.id}
            {...{ assignment, mayChange, onChange }}
            image={images.find(({ id }) => id === assignment.image_id)}
          />
        ))}
      </ul>
      <Rest count={assignments.length} total={assignedTotal} />
      <h2>One device</h2>
      <Shown key={assignments[0]?.id ?? 0} />
    </>
  );
}

/** Notes where a list is cut off. */
const Rest = ({ count, total }: { readonly count: number; readonly total: number }) =>
  total > count ? (
    <p class="quiet">
      The newest {count} of {total}.
    </p>
  ) : null;

interface PictureProps extends ContentPageProps {
  readonly image: ImageView;
  readonly onChange: () => void;
}

function Picture({ image, mayChange, onChange }: PictureProps) {
  const [open, setOpen] = useState<"assign" | "delete">();
  const { isBusy, problem, run } = useAction(onChange);
  const toggle = (which: typeof open) => setOpen(open === which ? undefined : which);
  const assigned = () => {
    setOpen(undefined);
    onChange();
  };
  return (
    <li class="card picture" aria-label={image.name}>
      <StoredPicture id={image.id} label={`Picture ${image.name}`} />
      <h3>{image.name}</h3>
      <p class="quiet">
        {image.width} × {image.height} · {image.created_by}
      </p>
      {mayChange && (
        <p class="actions tools">
          <Button isExpanded={open === "assign"} onClick={() => toggle("assign")}>
            Assign
          </Button>
          <Button isExpanded={open === "delete"} onClick={() => toggle("delete")}>
            Delete
          </Button>
        </p>
      )}
      {open === "assign" && <AssignForm image={image} onAssigned={assigned} />}
      {open === "delete" && (
        <p class="actions">
          <Button look="danger" isDisabled={isBusy} onClick={() => run(() => deleteImage(image.id))}>
            Delete permanently
          </Button>
        </p>
      )}
      <Problem text={problem} />
    </li>
  );
}

interface AssignmentProps extends ContentPageProps {
  readonly assignment: AssignmentView;
  readonly image: ImageView | undefined;
  readonly onChange: () => void;
}

function Assignment({ assignment, image, mayChange, onChange }: AssignmentProps) {
  const { isBusy, problem, run } = useAction(onChange);
  const state = stateOf(assignment, Date.now());
  const { kind, name } = assignment.target;
  const target = describeTarget(kind, name);
  return (
    <li class="card assignment" aria-label={`${image?.name ?? assignment.image_id} to ${target}`}>
      <span>
        <strong>{target}</strong> shows {image?.name ?? `picture ${assignment.image_id}`}
      </span>
      <span class="quiet">
        {describe(assignment)} · by {assignment.created_by}
      </span>
      <span class={`pill ${state}`}>{STATE_WORDS[state]}</span>
      {mayChange && (
        <Button
          isDisabled={isBusy}
          onClick={() => run(() => unassign(assignment.id))}
          label={`End: ${target}`}
        >
          End
        </Button>
      )}
      <Problem text={problem} />
    </li>
  );
}

function Shown() {
  const [device, setDevice] = useState("");
  const [shown, setShown] = useState<ShownView>();
  const { isBusy, problem, run, forget } = useAction();
  const look = () => run(async () => setShown(await findShown(device.trim())));
  return (
    <div class="card shown">
      <Form class="row" onSubmit={look} onEdit={forget} label="Look up what a device shows">
        <TextField label="Device" value={device} required maxLength={64} onChange={setDevice} />
        <button type="submit" class="quiet" disabled={isBusy}>
          What does it show?
        </button>
      </Form>
      <Problem text={problem} />
      <div role="status">
        {shown && !shown.assignment && <p>Nothing is assigned to {shown.device_id} now.</p>}
        {shown?.assignment && shown.image && (
          <>
            <p>
              {shown.device_id} shows <strong>{shown.image.name}</strong>, as{" "}
              {describeTarget(shown.assignment.target.kind, shown.assignment.target.name)} does (
              {describe(shown.assignment)}).
            </p>
            <StoredPicture id={shown.image.id} label={`What ${shown.device_id} shows`} />
          </>
        )}
      </div>
    </div>
  );
}
