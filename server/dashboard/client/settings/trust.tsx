// The trust roots of this server: whose signatures count, when that ends, and which devices are behind. Publishes what the holders of root keys
// have signed elsewhere, after a question, because it cannot be undone. Asks for no key.

import type { RootsView } from "../../../api/root-views.js";
import { useMay } from "../actor.js";
import { useData } from "../data.js";
import { moment, plural } from "../format.js";
import { Drop } from "../parts/drop.js";
import { useQuestion } from "../parts/question.js";
import { Table } from "../parts/table.js";
import { Link } from "../router.js";
import { ask } from "../session.js";
import { Section } from "./section.js";

const ROOTS = "/api/v1/roots";

export function Trust() {
  const roots = useData<RootsView>(ROOTS, ["device"]);
  const mayPublish = useMay("settings:write");
  const question = useQuestion();
  const newest = roots.data?.roots[0];
  const behind = roots.data?.behind ?? 0;
  const publish = async (file: File) => {
    const root = await file.text();
    question.ask({
      title: `Publish ${file.name}?`,
      what: newest
        ? "Devices take it when they check next, and from then on its keys sign releases. It cannot be undone."
        : "It is the first one here: from then on this server takes only releases that its keys have signed. It cannot be undone.",
      confirmName: "Publish",
      isDangerous: true,
      work: async () => {
        await ask("POST", ROOTS, { root });
        roots.reload();
      },
    });
  };
  return (
    <Section
      title="Trust root"
      loaded={roots}
      problem=""
      footer={
        mayPublish && (
          <Drop
            label="Publish a trust root"
            hint="root-N.json, signed by its holders with skyslot keys sign-root"
            accept=".json"
            file={undefined}
            onFile={publish}
          />
        )
      }
    >
      {question.dialog}
      {roots.data && !newest && (
        <p class="quiet">
          None is published. Devices trust the keys that are built into their images, each of them alone.
        </p>
      )}
      {newest && (
        <>
          <p>
            Root {newest.version}, expires {moment(newest.expires_at)}. {plural(newest.threshold, "root key")}{" "}
            of {newest.keys.filter(({ roles }) => roles.includes("root")).length} sign the next one,{" "}
            {plural(newest.release_threshold, "release key")} a release.{" "}
            {newest.expires_soon && (
              <>
                <span class="pill failed">expires soon</span> Its holders have to sign the next one.
              </>
            )}
          </p>
          <p>
            {behind === 0 ? (
              "No device has an older one."
            ) : (
              <Link to="/devices?root=behind">{plural(behind, "device")} behind</Link>
            )}
          </p>
          <Statements
            root={newest}
            ownKey={roots.data?.freshness_key ?? null}
            frozen={roots.data?.frozen ?? 0}
          />
          <Table
            rows={newest.keys}
            keyOf={({ kid }) => kid}
            columns={[
              ["Key", ({ kid }) => kid, "mono"],
              ["Signs", ({ roles }) => roles.join(", ")],
              ["Signed this root", (key) => signedWord(key)],
              ["Releases here", (key) => key.release_count],
            ]}
          />
        </>
      )}
    </Section>
  );
}

interface StatementsProps {
  readonly root: RootsView["roots"][number];
  readonly ownKey: RootsView["freshness_key"];
  readonly frozen: number;
}

/** Of freshness: who may sign them, and who has none. */
function Statements({ root, ownKey, frozen }: StatementsProps) {
  const isAsked = root.keys.some(({ roles }) => roles.includes("freshness"));
  return (
    <>
      <p>
        {ownKey ? (
          <>
            This server states freshness with key <code>{ownKey.kid}</code>
            {ownKey.is_named ? `, which ends with the root, ${moment(root.expires_at)}.` : ". "}
            {!ownKey.is_named && <span class="pill failed">root {root.version} does not name it</span>}
          </>
        ) : isAsked ? (
          <>
            <span class="pill failed">no key</span> Devices ask for freshness, and this server has no key for
            it.
          </>
        ) : (
          "Devices do not ask for freshness: the root names no key for it."
        )}
      </p>
      {frozen > 0 && (
        <p>
          <Link to="/devices?root=frozen">{plural(frozen, "device")} frozen</Link>: without a statement for
          two weeks
        </p>
      )}
    </>
  );
}

const signedWord = ({ has_signed, roles }: RootsView["roots"][number]["keys"][number]): string =>
  has_signed ? "yes" : roles.includes("root") ? "no" : "–";
