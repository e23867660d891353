// Finds out who is signed in, and shows the pages or the sign-in.

import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { ActorView } from "../../api/account-views.js";
import { currentPath } from "./base.js";
import { findActor, keepSession } from "./session.js";
import { Shell } from "./shell.js";
import { Setup, SignIn } from "./sign-in.js";
import "./style.css";
import "./style/shell.css";
import "./style/forms.css";
import "./style/lists.css";
import "./style/rollouts.css";
import "./style/chart.css";

/** Nothing until the user is known. */
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
  return <Shell actor={actor} onSignIn={() => setWantsSignIn(true)} />;
}

const root = document.getElementById("app");
if (root) render(currentPath() === "/setup" ? <Setup /> : <App />, root);
