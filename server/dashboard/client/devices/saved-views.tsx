// Views of the device list that the user has saved: each is a link, and so can be shared, too.

import { useState } from "preact/hooks";
import { useActor } from "../actor.js";
import { useAction, useData } from "../data.js";
import { Button } from "../parts/button.js";
import { TextField } from "../parts/fields.js";
import { Form } from "../parts/form.js";
import { Problem } from "../parts/notes.js";
import { Link, type Place } from "../router.js";
import { ask } from "../session.js";

interface ViewsAnswer {
  readonly views: readonly { readonly name: string; readonly query: string }[];
}

export function SavedViews({ place }: { readonly place: Place }) {
  const actor = useActor();
  const isPerson = actor?.kind === "user";
  const views = useData<ViewsAnswer>(isPerson ? "/api/auth/views" : undefined);
  const action = useAction(views.reload);
  const [name, setName] = useState("");
  const [isNaming, setIsNaming] = useState(false);
  const query = queryOf(place);
  const known = views.data?.views ?? [];
  const current = known.find((one) => one.query === query);
  if (!isPerson || (known.length === 0 && query === "")) return null;
  const path = (of: string) => `/api/auth/views/${encodeURIComponent(of)}`;
  const save = async () => {
    if (!(await action.run(() => ask("PUT", path(name.trim()), { query })))) return;
    setName("");
    setIsNaming(false);
  };
  return (
    <nav class="saved-views" aria-label="Saved views">
      {known.map((one) => (
        <Link key={one.name} class="chip" to={`/devices?${one.query}`} isCurrent={one === current}>
          {one.name}
        </Link>
      ))}
      {current && (
        <Button
          look="link"
          isBusy={action.isBusy}
          onClick={() => action.run(() => ask("DELETE", path(current.name)))}
        >
          Delete view {current.name}
        </Button>
      )}
      {!current && query !== "" && (
        <Button look="link" isExpanded={isNaming} onClick={() => setIsNaming(!isNaming)}>
          Save this view
        </Button>
      )}
      {isNaming && !current && (
        <Form class="save-view" label="Save this view" onEdit={action.forget} onSubmit={save}>
          <TextField label="Name of the view" value={name} maxLength={64} required onChange={setName} />
          <button type="submit" disabled={action.isBusy || name.trim() === ""}>
            Save
          </button>
        </Form>
      )}
      <Problem text={action.problem} />
    </nav>
  );
}

/** The filters and the order, sorted by name; not which page of the list it is. */
function queryOf({ query }: Place): string {
  const kept = new URLSearchParams(query);
  kept.delete("offset");
  kept.sort();
  return kept.toString();
}
