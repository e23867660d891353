// What the panel of a device shows, and since when.

import type { ImageView } from "../../../api/content-views.js";
import { StoredPicture } from "../content/dot-view.js";
import { ago } from "../format.js";

export interface PanelView {
  readonly asked_at: string;
  readonly etag: string | null;
  readonly fetched_at: string | null;
  readonly image: ImageView | null;
}

interface PanelProps {
  readonly panel: PanelView | null;
  /** Milliseconds, by the server's clock. */
  readonly now: number;
}

export function Panel({ panel, now }: PanelProps) {
  if (!panel) return null;
  const { etag, fetched_at: fetchedAt, image } = panel;
  const since = fetchedAt === null ? "which it had already" : `fetched ${ago(Date.parse(fetchedAt), now)}`;
  return (
    <section aria-label="Panel">
      <h2>Panel</h2>
      <div class="card padded panel-card">
        {etag === null ? (
          <p class="quiet">It asks for a picture, and none is assigned to it.</p>
        ) : image ? (
          <>
            <StoredPicture id={image.id} label={`Picture ${image.name}`} />
            <p>
              <strong>{image.name}</strong>, {since}
            </p>
          </>
        ) : (
          <p>It shows a picture that is not among the uploaded ones, {since}.</p>
        )}
      </div>
    </section>
  );
}
