// Uploads a release: choose or drop the image, then sign it here, add a manifest signed elsewhere or, for devices that do not check
// signatures, enter its metadata.

import { useState } from "preact/hooks";
import { useAction } from "../data.js";
import { bytes, versionOf } from "../format.js";
import { Drop } from "../parts/drop.js";
import { Check, TextField } from "../parts/fields.js";
import { Problem } from "../parts/notes.js";
import { sendRelease } from "./send.js";
import { canSign, describeFile, type ManifestFacts, readManifest, signFile } from "./signing.js";

type Way = "sign" | "manifest" | "legacy";
const WAYS: readonly (readonly [Way, string])[] = [
  ["sign", "Sign here"],
  ["manifest", "Signed elsewhere"],
  ["legacy", "Not signed"],
];

interface Extra {
  readonly type: string;
  readonly hardware: string;
  readonly version: string;
  readonly notes: string;
  readonly isStable: boolean;
}
const NOTHING: Extra = { type: "", hardware: "", version: "", notes: "", isStable: false };

export function Upload({
  legacyTypes,
  onDone,
}: {
  readonly legacyTypes: readonly string[];
  readonly onDone: () => void;
}) {
  const [way, setWay] = useState<Way>(canSign() ? "sign" : "manifest");
  const [image, setImage] = useState<File>();
  const [paper, setPaper] = useState<File>();
  const [facts, setFacts] = useState<ManifestFacts>();
  const [extra, setExtra] = useState(NOTHING);
  const [share, setShare] = useState(0);
  const [done, setDone] = useState("");
  const action = useAction();
  const change = (changes: Partial<Extra>) => setExtra((before) => ({ ...before, ...changes }));
  const chooseWay = (next: Way) => {
    setWay(next);
    setPaper(undefined);
  };

  const takeImage = (file: File) =>
    action.run(async () => {
      setImage(undefined);
      setFacts(undefined);
      setDone("");
      // The image's metadata is shown before anything is signed or sent.
      if (way !== "legacy" && canSign()) setFacts(await describeFile(await readBytes(file), { created: 0 }));
      setImage(file);
    });

  const send = (event: SubmitEvent) => {
    event.preventDefault();
    action.run(async () => {
      if (!image) throw new Error("choose the firmware image first");
      setShare(0);
      const firmware = await sendRelease(
        { image, manifest: await manifestFor(way, image, paper, extra), fields: fieldsFor(way, extra) },
        setShare,
      );
      setDone(
        `${firmware.device_type} ${versionOf(firmware.version, firmware.build_number)} is here, ${
          firmware.is_stable ? "and is offered" : "and is not offered yet: make it stable, or plan a rollout"
        }.`,
      );
      setImage(undefined);
      setFacts(undefined);
      setExtra(NOTHING);
      onDone();
    });
  };

  return (
    <form class="card padded upload" onSubmit={send} aria-label="Upload a release">
      <div class="choices" role="radiogroup" aria-label="How it is signed">
        {WAYS.map(([each, name]) => (
          <label key={each} class={each === way ? "chosen" : ""}>
            <input type="radio" name="way" checked={each === way} onChange={() => chooseWay(each)} />
            {name}
          </label>
        ))}
      </div>
      <p class="quiet">{describeWay(way, legacyTypes)}</p>
      <div class="drops">
        <Drop
          label="Firmware image"
          hint={facts ? describeFacts(facts) : image ? bytes(image.size) : "Drop a .bin here, or choose it"}
          accept=".bin"
          file={image}
          onFile={takeImage}
        />
        {way === "sign" && (
          <Drop
            label="Release key"
            hint="The private .jwk of `skyslot keys init`. It stays in this browser."
            accept=".jwk,.json"
            file={paper}
            onFile={setPaper}
          />
        )}
        {way === "manifest" && (
          <Drop
            label="Manifest"
            hint="Written by `skyslot release sign`"
            accept=".jws,.release,.txt"
            file={paper}
            onFile={setPaper}
          />
        )}
      </div>
      <div class="fields lead">
        <TextField label="Notes" value={extra.notes} onChange={(notes) => change({ notes })} />
        {way !== "manifest" && (
          <>
            <TextField
              label="Device type"
              value={extra.type}
              placeholder={facts?.type}
              hint={way === "sign" ? "Default: the image's project name" : undefined}
              onChange={(type) => change({ type })}
            />
            <TextField
              label="Board"
              value={extra.hardware}
              placeholder={facts?.hardware}
              hint="Default: any with this chip"
              onChange={(hardware) => change({ hardware })}
            />
          </>
        )}
        {way === "legacy" && (
          <TextField
            label="Version"
            value={extra.version}
            placeholder="1.2.3"
            onChange={(version) => change({ version })}
          />
        )}
      </div>
      <Check
        label="Stable: offer it to every device of its type at once"
        isOn={extra.isStable}
        onChange={(isStable) => change({ isStable })}
      />
      {action.isBusy && share > 0 && <progress max={1} value={share} aria-label="Sent" />}
      <Problem text={action.problem} />
      <p class="success-note" role="status">
        {done}
      </p>
      <p class="actions">
        <button type="submit" disabled={action.isBusy || !image || (way !== "legacy" && !paper)}>
          {way === "sign" ? "Sign and upload" : "Upload"}
        </button>
      </p>
    </form>
  );
}

function describeWay(way: Way, legacyTypes: readonly string[]): string {
  if (way === "manifest") return "The image and its manifest, signed on another computer.";
  if (way === "legacy")
    return legacyTypes.length > 0
      ? `Only for devices that do not check signatures: ${legacyTypes.join(", ")}. Anyone who controls this server controls these devices.`
      : "Only for legacy device types, and there are none: see the settings.";
  return canSign()
    ? "The image is signed in this browser. The key is not sent."
    : "This browser signs only on pages from HTTPS or from the local machine: use `skyslot release sign`.";
}

const describeFacts = ({ type, version, build, chip, size }: ManifestFacts): string =>
  `${type} ${versionOf(version, build)} for ${chip}, ${bytes(size)}`;

const readBytes = async (file: File): Promise<Uint8Array> => new Uint8Array(await file.arrayBuffer());

async function manifestFor(way: Way, image: File, paper: File | undefined, extra: Extra) {
  if (way === "legacy") return undefined;
  if (!paper) throw new Error(way === "sign" ? "choose the release key" : "choose the manifest");
  if (way === "manifest") return (await readManifest(paper)).jws;
  const payload = await describeFile(await readBytes(image), {
    created: Math.floor(Date.now() / 1000),
    ...(extra.type === "" ? {} : { type: extra.type.trim() }),
    ...(extra.hardware === "" ? {} : { hardware: extra.hardware.trim() }),
  });
  return signFile(payload, paper);
}

const fieldsFor = (way: Way, { type, hardware, version, notes, isStable }: Extra) => ({
  release_notes: notes.trim(),
  is_stable: `${isStable}`,
  ...(way === "legacy"
    ? { device_type: type.trim(), hardware: hardware.trim(), version: version.trim() }
    : {}),
});
