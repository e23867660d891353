// The frame of every page: name, menu, connection and account. It follows the live stream and passes its state to the pages.

import { useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import type { ActorView } from "../../api/account-views.js";
import { matchPage, PAGE_PATHS, PAGES, type PageEntry, type PagePath } from "../paths.js";
import { Account } from "./account.js";
import { ActorContext, mayDo } from "./actor.js";
import { WatchContext } from "./data.js";
import { followServer, Watchers } from "./feed.js";
import { type Change, change, initialModel, type Model } from "./model.js";
import type { PageProps } from "./page-props.js";
import { VIEWS } from "./pages.js";
import { Button } from "./parts/button.js";
import { focusContent, showWhole } from "./parts/focus.js";
import { Empty } from "./parts/notes.js";
import { Link, usePlace } from "./router.js";

const CLOCK_MS = 1000;

export function Shell({ actor, onSignIn }: { readonly actor: ActorView; readonly onSignIn: () => void }) {
  const [model, take] = useReducer(change, initialModel);
  const [now, setNow] = useState(Date.now());
  const watchers = useMemo(() => new Watchers(), []);
  const place = usePlace();
  const found = matchPage(place.path);
  useEffect(
    () =>
      followServer((message: Change) => {
        take(message);
        watchers.notify(message);
      }),
    [],
  );
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), CLOCK_MS);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    document.title = found && found.page !== "/" ? `${PAGES[found.page].name} · Skyslot` : "Skyslot";
  }, [found?.page]);
  const shownPath = useRef(place.path);
  useEffect(() => {
    // The followed link may have been removed with its page.
    if (shownPath.current !== place.path) focusContent();
    shownPath.current = place.path;
  }, [place.path]);
  return (
    <ActorContext.Provider value={actor}>
      <WatchContext.Provider value={watchers.watch}>
        <a class="skip" href="#content">
          Skip to content
        </a>
        <header class="top">
          <p class="brand">
            <Logo /> Skyslot
          </p>
          <Menu actor={actor} current={found?.page} />
          <div class="corner">
            <Connection model={model} />
            <Account actor={actor} onSignIn={onSignIn} />
          </div>
        </header>
        <main id="content" tabIndex={-1} onFocusIn={showWhole}>
          <Page key={place.path} {...{ actor, model, now, place, found, onSignIn }} />
        </main>
      </WatchContext.Provider>
    </ActorContext.Provider>
  );
}

interface FoundProps extends Omit<PageProps, "params"> {
  readonly actor: ActorView;
  readonly found: ReturnType<typeof matchPage>;
  readonly onSignIn: () => void;
}

function Page({ actor, found, onSignIn, ...props }: FoundProps) {
  if (!found)
    return (
      <Empty title="Page not found">
        <Link to="/">Go to dashboard</Link>
      </Empty>
    );
  const { needs } = PAGES[found.page];
  if (!mayDo(actor, needs))
    return (
      <Empty title="You do not have access to this page">
        It requires <code>{needs}</code>
        {actor.kind === "here" ? (
          <>
            : sign in with an account that has it. <Button onClick={onSignIn}>Sign in</Button>
          </>
        ) : (
          `, which ${actor.name} does not have.`
        )}
      </Empty>
    );
  const View = VIEWS[found.page];
  return <View {...props} params={found.params} />;
}

function Menu({ actor, current }: { readonly actor: ActorView; readonly current: PagePath | undefined }) {
  const shown = PAGE_PATHS.filter((path) => PAGES[path].inMenu && mayDo(actor, PAGES[path].needs));
  const entry: PageEntry | undefined = current && PAGES[current];
  // A page outside the menu belongs to the entry that it names, or that its path begins with.
  const isCurrent = (path: PagePath) =>
    path === current || path === entry?.partOf || (path !== "/" && current?.startsWith(`${path}/`) === true);
  return (
    <nav aria-label="Pages">
      <ul>
        {shown.map((path) => (
          <li key={path}>
            <Link to={path} isCurrent={isCurrent(path)}>
              {PAGES[path].name}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
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
