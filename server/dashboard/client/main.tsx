// The dashboard: draws the model and follows the server.

import { render } from "preact";
import { useEffect, useReducer, useState } from "preact/hooks";
import type { ActorView } from "../../api/account-views.js";
import { Account } from "./account.js";
import { ContentAdmin } from "./content/content-admin.js";
import { Upload } from "./content/upload.js";
import { Device } from "./device.js";
import { followServer } from "./feed.js";
import { Log, Releases } from "./lists.js";
import { change, initialModel, isOnline, isOpen, type Model } from "./model.js";
import { findActor, keepSession } from "./session.js";
import { Setup, SignIn } from "./sign-in.js";
import "./style.css";

const CLOCK_MS = 1000;
const SHOWN_DEVICE_COUNT = 200;
const CONTENT_PAGES: Readonly<Record<string, typeof Upload>> = Object.freeze({
  "/content-admin": ContentAdmin,
  "/upload": Upload,
});

/** Nothing, until it is known who looks. */
function App() {
  const [actor, setActor] = useState<ActorView | null>();
  const [wantsSignIn, setWantsSignIn] = useState(false);
  useEffect(() => {
    findActor().then(
      (found) => setActor(found ?? null),
      () => setActor(null),
    );
  }, []);
  const isUser = actor?.kind === "user";
  useEffect(() => (isUser ? keepSession(() => location.reload()) : undefined), [isUser]);
  if (actor === undefined) return null;
  if (actor === null) return <SignIn />;
  if (wantsSignIn) return <SignIn onCancel={() => setWantsSignIn(false)} />;
  return <Dashboard actor={actor} onSignIn={() => setWantsSignIn(true)} />;
}

function Dashboard({ actor, onSignIn }: { readonly actor: ActorView; readonly onSignIn: () => void }) {
  const [model, take] = useReducer(change, initialModel);
  const [now, setNow] = useState(Date.now());
  const ContentPage = CONTENT_PAGES[location.pathname];
  const mayChange = actor.kind !== "here" && actor.scopes.includes("content:write");
  useEffect(() => followServer(take), []);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), CLOCK_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <>
      <header class="top">
        <h1>
          <Logo /> Skyslot
        </h1>
        <Connection model={model} />
        <Account actor={actor} onSignIn={onSignIn} />
      </header>
      <main>
        {ContentPage ? <ContentPage mayChange={mayChange} /> : <Overview model={model} now={now} />}
      </main>
    </>
  );
}

const Overview = ({ model, now }: { readonly model: Model; readonly now: number }) => (
  <>
    <Summary model={model} now={now} />
    {model.connection === "loading" ? <p class="quiet">Loading…</p> : <Lists model={model} now={now} />}
  </>
);

function Lists({ model, now }: { readonly model: Model; readonly now: number }) {
  const devices = [...model.devices.values()].sort((a, b) => a.device_id.localeCompare(b.device_id));
  return (
    <>
      <h2>Devices</h2>
      {devices.length === 0 && (
        <p class="card quiet">No device has checked for updates so far. It appears here when it does.</p>
      )}
      <div class="devices">
        {devices.slice(0, SHOWN_DEVICE_COUNT).map((device) => (
          <Device key={device.device_id} model={model} device={device} now={now} />
        ))}
      </div>
      <h2>Releases</h2>
      <Releases model={model} now={now} />
      <h2>Log</h2>
      <Log model={model} />
    </>
  );
}

function Summary({ model, now }: { readonly model: Model; readonly now: number }) {
  const devices = [...model.devices.values()];
  const updates = [...model.updates.values()];
  const onlineCount = devices.filter((device) => isOnline(model, device, now)).length;
  const tiles: readonly [name: string, count: number][] = [
    [`of ${devices.length} online`, onlineCount],
    ["updating", updates.filter(isOpen).length],
    ["validated", updates.filter(({ status }) => status === "success").length],
    ["failed", updates.filter(({ outcome }) => outcome === "failed" || outcome === "rolled_back").length],
  ];
  return (
    <ul class="summary">
      {tiles.map(([name, count], index) => (
        <li key={index} class="card">
          <strong>{count}</strong> <span>{name}</span>
        </li>
      ))}
    </ul>
  );
}

const CONNECTION_WORDS = { loading: "connecting", live: "live", broken: "reconnecting" } as const;

const Connection = ({ model: { connection } }: { readonly model: Model }) => (
  <span class={`connection ${connection}`} role="status">
    <span class={`lamp ${connection === "live" ? "on" : "off"}`} aria-hidden="true" />
    {CONNECTION_WORDS[connection]}
  </span>
);

const Logo = () => (
  <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
    <rect width="32" height="32" rx="8" fill="currentColor" />
    <path d="M16 6l8 9h-5v10h-6V15H8z" fill="var(--card)" />
  </svg>
);

const root = document.getElementById("app");
if (root) render(location.pathname === "/setup" ? <Setup /> : <App />, root);
