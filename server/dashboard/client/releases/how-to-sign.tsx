// How to sign an image on one's own computer. This page never asks for a release key: it comes from the server, so whoever controls the
// server could send the key away.

import type { ComponentChildren } from "preact";
import { type UnsignedManifest, unsignedManifestOf } from "../../../../release/unsigned-manifest.js";
import { Button } from "../parts/button.js";
import { Command } from "../parts/copy.js";
import { CHECK_COMMAND, PAGE_COMMAND, type Signing, signCommand } from "./commands.js";

interface HowToProps extends Signing {
  /** Bytes of the image, once it is chosen. */
  readonly image: Uint8Array | undefined;
  /** The fields for what is signed. */
  readonly children: ComponentChildren;
}

export const HowToSign = ({ image, children, ...signing }: HowToProps) => (
  <details class="how-to" open>
    <summary>No manifest yet? Sign the image on your own computer</summary>
    {children}
    <ol>
      <li>
        <p>With the command line:</p>
        <Command text={signCommand(signing)} label="Copy the command that signs" />
      </li>
      <li>
        <p>
          Or in a browser: write the page that signs, and open the file from your disk. It needs no network,
          and its policy blocks every request.
        </p>
        <Command text={PAGE_COMMAND} label="Copy the command that writes the page" />
        {image && (
          <p>
            <Button onClick={() => save(unsignedManifestOf(image, signing))}>
              Save the unsigned manifest
            </Button>{" "}
            <span class="hint">Fills in the page's fields.</span>
          </p>
        )}
        <p>Before you use such a file again, compare its checksum:</p>
        <Command text={CHECK_COMMAND} label="Copy the command that compares the page" />
      </li>
    </ol>
    <p class="hint">
      Compare with what your own command line prints, not with what a server shows, and enter your release key
      in no page of a server: whoever controls the server controls its pages, this one included.
    </p>
  </details>
);

function save(unsigned: UnsignedManifest): void {
  const url = URL.createObjectURL(
    new Blob([`${JSON.stringify(unsigned, undefined, 2)}\n`], { type: "application/json" }),
  );
  const { type, version, chip } = unsigned;
  Object.assign(document.createElement("a"), {
    href: url,
    download: `${type}-${version}-${chip}.unsigned.json`,
  }).click();
  URL.revokeObjectURL(url);
}
