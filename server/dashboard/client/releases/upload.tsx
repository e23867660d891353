// Uploads a release: choose or drop the image, then sign it here, add a manifest signed elsewhere or, for devices that do not check
// signatures, enter its metadata.

import { useState } from "preact/hooks";
import { useAction } from "../data.js";
import { bytes, versionOf } from "../format.js";
import { Drop } from "../parts/drop.js";
import { Check, TextField } from "../parts/fields.js";
import { Form, useFields } from "../parts/form.js";
import { Done, Problem } from "../parts/notes.js";
import { sendRelease } from "./send.js";
import { canSign, describeFile, type ManifestFacts, readManifest, signFile } from "./signing.js";

type Method = "sign" | "manifest" | "legacy";
const METHODS: readonly (readonly [Method, string])[] = [
  ["sign", "Sign here"],
  ["manifest", "Signed elsewhere"],
  ["legacy", "Not signed"],
];

/** What signs the image: the key, or a finished manifest. */
const KEY_OR_MANIFEST = {
  sign: {
    label: "Release key",
    hint: "The private .jwk of `skyslot keys init`. It stays in this browser.",
    accept: ".jwk,.json",
  },
  manifest: {
    label: "Manifest",
    hint: "Written by `skyslot release sign`",
    accept: ".jws,.release,.txt",
  },
} as const;

interface Extra {
  readonly type: string;
  readonly hardware: string;
  readonly version: string;
  readonly notes: string;
  readonly isStable: boolean;
}
const NOTHING: Extra = { type: "", hardware: "", version: "", notes: "", isStable: false };

interface UploadProps {
  readonly legacyTypes: readonly string[];
  readonly onDone: () => void;
}

export function Upload({ legacyTypes, onDone }: UploadProps) {
  const [method, setMethod] = useState<Method>(canSign() ? "sign" : "manifest");
  const [image, setImage] = useState<File>();
  const [keyOrManifest, setKeyOrManifest] = useState<File>();
  const [facts, setFacts] = useState<ManifestFacts>();
  const { values: extra, field, change, reset } = useFields(NOTHING);
  const [share, setShare] = useState(0);
  const [done, setDone] = useState("");
  const action = useAction();
  const chooseMethod = (next: Method) => {
    setMethod(next);
    setKeyOrManifest(undefined);
  };

  const takeImage = (file: File) =>
    action.run(async () => {
      setImage(undefined);
      setFacts(undefined);
      setDone("");
      // The image's metadata is shown before anything is signed or sent.
      if (method !== "legacy" && canSign())
        setFacts(await describeFile(await readBytes(file), { created: 0 }));
      setImage(file);
    });

  const send = () =>
    action.run(async () => {
      if (!image) throw new Error("choose the firmware image first");
      setShare(0);
      const firmware = await sendRelease(
        {
          image,
          manifest: await manifestFor(method, image, keyOrManifest, extra),
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
      setFacts(undefined);
      reset();
      onDone();
    });

  return (
    <Form class="card padded upload" onSubmit={send} label="Upload a release">
      <div class="choices" role="radiogroup" aria-label="How it is signed">
        {METHODS.map(([each, name]) => (
          <label key={each} class={each === method ? "chosen" : ""}>
            <input type="radio" name="method" checked={each === method} onChange={() => chooseMethod(each)} />
            {name}
          </label>
        ))}
      </div>
      <p class="quiet">{describeMethod(method, legacyTypes)}</p>
      <div class="drops">
        <Drop
          label="Firmware image"
          hint={facts ? describeFacts(facts) : image ? bytes(image.size) : "Drop a .bin here, or choose it"}
          accept=".bin"
          file={image}
          onFile={takeImage}
        />
        {method !== "legacy" && (
          <Drop {...KEY_OR_MANIFEST[method]} file={keyOrManifest} onFile={setKeyOrManifest} />
        )}
      </div>
      <div class="fields lead">
        <TextField label="Notes" {...field("notes")} />
        {method !== "manifest" && (
          <>
            <TextField
              label="Device type"
              placeholder={facts?.type}
              hint={method === "sign" ? "Default: the image's project name" : undefined}
              {...field("type")}
            />
            <TextField
              label="Board"
              placeholder={facts?.hardware}
              hint="Default: any with this chip"
              {...field("hardware")}
            />
          </>
        )}
        {method === "legacy" && <TextField label="Version" placeholder="1.2.3" {...field("version")} />}
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
        <button type="submit" disabled={action.isBusy || !image || (method !== "legacy" && !keyOrManifest)}>
          {method === "sign" ? "Sign and upload" : "Upload"}
        </button>
      </p>
    </Form>
  );
}

function describeMethod(method: Method, legacyTypes: readonly string[]): string {
  if (method === "manifest") return "The image and its manifest, signed on another computer.";
  if (method === "legacy")
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

async function manifestFor(method: Method, image: File, keyOrManifest: File | undefined, extra: Extra) {
  if (method === "legacy") return undefined;
  if (!keyOrManifest) throw new Error(method === "sign" ? "choose the release key" : "choose the manifest");
  if (method === "manifest") return (await readManifest(keyOrManifest)).jws;
  const payload = await describeFile(await readBytes(image), {
    created: Math.floor(Date.now() / 1000),
    ...(extra.type === "" ? {} : { type: extra.type.trim() }),
    ...(extra.hardware === "" ? {} : { hardware: extra.hardware.trim() }),
  });
  return signFile(payload, keyOrManifest);
}

const fieldsFor = (method: Method, { type, hardware, version, notes, isStable }: Extra) => ({
  release_notes: notes.trim(),
  is_stable: `${isStable}`,
  ...(method === "legacy"
    ? { device_type: type.trim(), hardware: hardware.trim(), version: version.trim() }
    : {}),
});
