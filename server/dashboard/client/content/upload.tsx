// The page that prepares a picture for a panel: choose a file, crop it, preview the dots, save and assign it.

import { useMemo, useState } from "preact/hooks";
import type { ImageView } from "../../../api/content-views.js";
import { onServer } from "../base.js";
import { useAction } from "../data.js";
import { Button } from "../parts/button.js";
import { Drop } from "../parts/drop.js";
import { ChoiceField, TextField } from "../parts/fields.js";
import { Form, Submit } from "../parts/form.js";
import { Heading } from "../parts/heading.js";
import { Done, Problem } from "../parts/notes.js";
import { useReach } from "../parts/reach.js";
import { AssignForm } from "./assign-form.js";
import { uploadPicture } from "./calls.js";
import { CropStage, ZOOM_STEP } from "./crop-stage.js";
import { adjust, type DitherMethod, dither, toGreys } from "./dither.js";
import { DotView } from "./dot-view.js";
import { type Dots, toPbm } from "./dots.js";
import { loadPicture, nameOf } from "./load-picture.js";
import { DEFAULT_SIZE, PanelSize } from "./panel-size.js";
import { type Fitting, type Placement, place, type Size, turn, zoom } from "./placement.js";
import { readPlaced } from "./render.js";
import { Slider } from "./slider.js";
import "./content.css";

const METHODS: readonly (readonly [DitherMethod, string])[] = [
  ["floyd-steinberg", "Floyd–Steinberg: photographs"],
  ["atkinson", "Atkinson: harder, cleaner"],
  ["ordered", "Ordered: even patterns"],
  ["threshold", "Threshold: text and drawings"],
];

export interface ContentPageProps {
  /** Whether the user may change what panels show. */
  readonly mayChange: boolean;
}

interface Chosen {
  readonly picture: ImageBitmap;
  readonly fileName: string;
  /** Every file starts a new edit, even one of the same name. */
  readonly turn: number;
}

export function Upload({ mayChange }: ContentPageProps) {
  const [chosen, setChosen] = useState<Chosen>();
  const loading = useAction();
  const take = (file: File) =>
    loading.run(async () => {
      const picture = await loadPicture(file);
      setChosen((before) => ({ turn: (before?.turn ?? 0) + 1, picture, fileName: nameOf(file.name) }));
    });
  return (
    <div class="content">
      <Heading title="New picture">
        <a href={onServer("/content-admin")}>All pictures</a>
      </Heading>
      {!mayChange && (
        <p class="card">To save a picture, sign in as a user who may change what panels show.</p>
      )}
      <Drop
        label="Picture file"
        hint="Drop a PNG, JPEG, WebP, SVG or PBM here, or choose it. The file stays in your browser; only the dithered pixels are uploaded."
        accept="image/*,.pbm"
        file={undefined}
        onFile={take}
      />
      <Problem text={loading.problem} />
      {chosen && <Editor key={chosen.turn} {...chosen} mayChange={mayChange} />}
    </div>
  );
}

type EditorProps = ContentPageProps & Pick<Chosen, "picture" | "fileName">;

function Editor({ picture, fileName, mayChange }: EditorProps) {
  const [panel, setPanel] = useState<Size>(DEFAULT_SIZE);
  const [fitting, setFitting] = useState<Fitting>("fill");
  const [placement, setPlacement] = useState<Placement>(() => place(picture, panel, fitting));
  const [method, setMethod] = useState<DitherMethod>("floyd-steinberg");
  const [brightness, setBrightness] = useState(0);
  const [contrast, setContrast] = useState(0);
  const frame = useReach();

  const greys = useMemo(() => toGreys(readPlaced(picture, panel, placement)), [picture, panel, placement]);
  const dots: Dots = useMemo(
    () => ({ ...panel, dots: dither(adjust(greys, brightness, contrast), panel.width, method) }),
    [greys, brightness, contrast, method],
  );

  const refit = (how: Fitting) => {
    setFitting(how);
    setPlacement(place(picture, panel, how, placement.turns));
  };
  const resize = (size: Size) => {
    setPanel(size);
    setPlacement(place(picture, size, fitting, placement.turns));
  };
  /** `isOn`: only for tools that are alternatives. */
  const tool = (name: string, onClick: () => void, isOn?: boolean) => (
    <Button isPressed={isOn} onClick={onClick}>
      {name}
    </Button>
  );
  return (
    <div class="editor">
      <section class="card" aria-label="Crop">
        <h2>Crop</h2>
        <CropStage {...{ picture, panel, placement }} onPlace={setPlacement} />
        <p class="actions tools">
          {tool("Fit", () => refit("fit"), fitting === "fit")}
          {tool("Fill", () => refit("fill"), fitting === "fill")}
          {tool("Turn", () => setPlacement(turn(placement, picture, panel, fitting)))}
          {tool("Larger", () => setPlacement(zoom(placement, picture, panel, ZOOM_STEP)))}
          {tool("Smaller", () => setPlacement(zoom(placement, picture, panel, 1 / ZOOM_STEP)))}
        </p>
        <p class="hint">Drag the picture, or use the arrow keys, + and −.</p>
      </section>
      <section class="card" aria-label="On the panel">
        <h2>On the panel, dot by dot</h2>
        <div ref={frame.box} class="frame" tabIndex={frame.tabIndex}>
          <DotView
            dots={dots}
            zoom={zoomOf(panel)}
            label={`Preview of ${panel.width} × ${panel.height} dots`}
          />
        </div>
        <p class="hint">{shareOf(dots)}</p>
      </section>
      <section class="card settings" aria-label="Conversion">
        <PanelSize size={panel} onChange={resize} />
        <ChoiceField label="Dots" value={method} choices={METHODS} onChange={setMethod} />
        <Slider label="Brightness" value={brightness} onChange={setBrightness} />
        <Slider label="Contrast" value={contrast} onChange={setContrast} />
        {mayChange && <Save dots={dots} fileName={fileName} />}
      </section>
    </div>
  );
}

function Save({ dots, fileName }: { readonly dots: Dots; readonly fileName: string }) {
  const [name, setName] = useState(fileName);
  /** What was saved last: other dots or another name make a new picture. */
  const [saved, setSaved] = useState<{ readonly image: ImageView; readonly dots: Dots }>();
  const [assigned, setAssigned] = useState("");
  const { isBusy, problem, run, forget } = useAction();
  const isSaved = saved?.dots === dots && saved.image.name === name.trim();
  const save = () =>
    run(async () => {
      setSaved({ image: await uploadPicture(name.trim(), toPbm(dots)), dots });
      setAssigned("");
    });
  return (
    <div class="save">
      <Form onSubmit={save} onEdit={forget} label="Save">
        <TextField label="Name" value={name} required maxLength={80} onChange={setName} />
        <Submit problem={problem} isDisabled={isBusy || isSaved || name.trim() === ""}>
          {isSaved ? "Saved" : "Save"}
        </Submit>
      </Form>
      {isSaved && (
        <>
          <AssignForm image={saved.image} onAssigned={setAssigned} />
          <Done>
            {assigned !== "" && (
              <>
                Assigned to {assigned}: it is shown at the device's next request.{" "}
                <a href={onServer("/content-admin")}>See all assignments</a>
              </>
            )}
          </Done>
        </>
      )}
    </div>
  );
}

/** Whole pixels of the page per dot, so that all dots are equally wide. */
function zoomOf({ width }: Size): number {
  const room = Math.min(440, innerWidth - 64);
  return Math.max(1, Math.floor(room / width));
}

function shareOf({ width, height, dots }: Dots): string {
  const black = dots.reduce((sum, dot) => sum + dot, 0);
  return `${width} × ${height} dots, ${Math.round((black / dots.length) * 100)} % black`;
}
