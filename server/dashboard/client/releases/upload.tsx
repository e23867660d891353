// Uploads a release: the image with its signed manifest or, for devices that do not check signatures, with its metadata. Signing is done
// elsewhere (how-to-sign): no page of the server asks for a release key.

import { useState } from "preact/hooks";
import { compareFacts, type ImageFacts, imageFacts } from "../../../../release/image-facts.js";
import { useAction } from "../data.js";
import { bytes, versionOf } from "../format.js";
import { Drop } from "../parts/drop.js";
import { Check, TextField } from "../parts/fields.js";
import { Form, useFields } from "../parts/form.js";
import { Done, Problem } from "../parts/notes.js";
import { HowToSign } from "./how-to-sign.js";
import { type ManifestFile, readManifest } from "./manifest-file.js";
import { sendRelease } from "./send.js";

type Method = "signed" | "legacy";
const METHODS: readonly (readonly [Method, string])[] = [
  ["signed", "Signed"],
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

interface Image {
  readonly file: File;
  readonly content: Uint8Array;
  /** Absent: it is no app image of an ESP32. */
  readonly facts?: ImageFacts;
}

interface UploadProps {
  readonly legacyTypes: readonly string[];
  readonly onDone: (id: number) => void;
}

export function Upload({ legacyTypes, onDone }: UploadProps) {
  const [method, setMethod] = useState<Method>("signed");
  const [image, setImage] = useState<Image>();
  const [manifest, setManifest] = useState<ManifestFile>();
  const { values: extra, field, change, reset } = useFields(NOTHING);
  const [share, setShare] = useState(0);
  const [done, setDone] = useState("");
  const action = useAction();
  const isSigned = method === "signed";

  const takeImage = (file: File) =>
    action.run(async () => {
      setImage(undefined);
      setDone("");
      const content = new Uint8Array(await file.arrayBuffer());
      const facts = isSigned ? imageFacts(content) : undefined;
      if (facts && manifest) compareFacts("manifest", manifest.release, facts);
      setImage(facts ? { file, content, facts } : { file, content });
    });

  const takeManifest = (file: File) =>
    action.run(async () => {
      setManifest(undefined);
      const read = await readManifest(file);
      if (image?.facts) compareFacts("manifest", read.release, image.facts);
      setManifest(read);
    });

  const send = () =>
    action.run(async () => {
      if (!image) throw new Error("choose the firmware image first");
      if (isSigned && !manifest) throw new Error("choose the manifest");
      setShare(0);
      const firmware = await sendRelease(
        {
          image: image.file,
          manifest: isSigned ? manifest?.jws : undefined,
          fields: fieldsFor(method, extra),
        },
        setShare,
      );
      setDone(
        `${firmware.device_type} ${versionOf(firmware.version, firmware.build_number)} is here, ${
          firmware.is_stable ? "and is offered" : "and is not offered yet: make it stable, or plan a rollout"
        }.`,
      );
      setImage(undefined);
      setManifest(undefined);
      reset();
      onDone(firmware.id);
    });

  const typeAndBoard = (
    <>
      <TextField
        label="Device type"
        placeholder={image?.facts?.project}
        hint={isSigned ? "Default: the image's project name" : undefined}
        {...field("type")}
      />
      <TextField
        label="Board"
        placeholder={image?.facts?.chip}
        hint="Default: any with this chip"
        {...field("hardware")}
      />
    </>
  );
  return (
    <Form onEdit={action.forget} class="card padded upload" onSubmit={send} label="Upload a release">
      <div class="choices" role="radiogroup" aria-label="How it is signed">
        {METHODS.map(([each, name]) => (
          <label key={each} class={each === method ? "chosen" : ""}>
            <input type="radio" name="method" checked={each === method} onChange={() => setMethod(each)} />
            {name}
          </label>
        ))}
      </div>
      <p class="quiet">{describeMethod(method, legacyTypes)}</p>
      <div class="drops">
        <Drop
          label="Firmware image"
          hint={image ? describeImage(image) : "Drop a .bin here, or choose it"}
          accept=".bin"
          file={image?.file}
          onFile={takeImage}
        />
        {isSigned && (
          <Drop
            label="Signed manifest"
            hint={manifest ? describeManifest(manifest) : "The .release.jws that signing has written"}
            accept=".jws,.release,.txt"
            file={manifest?.file}
            onFile={takeManifest}
          />
        )}
      </div>
      {isSigned && !manifest && (
        <HowToSign
          file={image?.file.name ?? "FIRMWARE.bin"}
          type={extra.type.trim()}
          hardware={extra.hardware.trim()}
          image={image?.facts && image.content}
        >
          <div class="fields lead">{typeAndBoard}</div>
        </HowToSign>
      )}
      <div class="fields lead">
        <TextField label="Notes" {...field("notes")} />
        {!isSigned && typeAndBoard}
        {!isSigned && <TextField label="Version" placeholder="1.2.3" {...field("version")} />}
      </div>
      <Check
        label="Stable: offer it to every device of its type at once"
        isOn={extra.isStable}
        onChange={(isStable) => change({ isStable })}
      />
      {action.isBusy && share > 0 && <progress max={1} value={share} aria-label="Sent" />}
      <Problem text={action.problem} />
      <Done>{done}</Done>
      <p class="actions">
        <button type="submit" disabled={action.isBusy || !image || (isSigned && !manifest)}>
          Upload
        </button>
      </p>
    </Form>
  );
}

function describeMethod(method: Method, legacyTypes: readonly string[]): string {
  if (method === "signed")
    return "The image and its manifest, which was signed on another computer or in a page without a network.";
  return legacyTypes.length > 0
    ? `Only for devices that do not check signatures: ${legacyTypes.join(", ")}. Anyone who controls this server controls these devices.`
    : "Only for legacy device types, and there are none: see the settings.";
}

const describeImage = ({ facts, content }: Image): string =>
  facts
    ? `${facts.project} ${versionOf(facts.version, facts.build)} for ${facts.chip}, ${bytes(facts.size)}`
    : bytes(content.length);

const describeManifest = ({ release: { type, version, build, hardware } }: ManifestFile): string =>
  `${type} ${versionOf(version, build)} for ${hardware}`;

const fieldsFor = (method: Method, { type, hardware, version, notes, isStable }: Extra) => ({
  release_notes: notes.trim(),
  is_stable: `${isStable}`,
  ...(method === "legacy"
    ? { device_type: type.trim(), hardware: hardware.trim(), version: version.trim() }
    : {}),
});
