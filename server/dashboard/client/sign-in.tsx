// The two pages for users without a session: sign in with name and password, and set a password with a one-time link, which also creates
// the first administrator. Passwords are not stored.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { onServer } from "./base.js";
import { sentence, useAction } from "./data.js";
import { Button } from "./parts/button.js";
import { Form } from "./parts/form.js";
import { Problem } from "./parts/notes.js";
import { ask, signIn } from "./session.js";

/** The server's minimum, see auth/password.ts; the server checks it. */
const MIN_PASSWORD_LENGTH = 10;

export function SignIn({ onCancel }: { readonly onCancel?: (() => void) | undefined }) {
  const submit = async (fields: FormData) => {
    await signIn(`${fields.get("name")}`, `${fields.get("password")}`);
    location.reload();
  };
  return (
    <CardForm title="Sign in" action="Sign in" onSubmit={submit} footer={<Help onCancel={onCancel} />}>
      <NameField />
      <PasswordField label="Password" autocomplete="current-password" />
    </CardForm>
  );
}

const Help = ({ onCancel }: { readonly onCancel: (() => void) | undefined }) => (
  <>
    {onCancel && <Button onClick={onCancel}>View only</Button>}
    <details>
      <summary>No account, or no password?</summary>
      <p>
        Ask an administrator for a link. On the server itself, <code>skyslot user link NAME</code> makes one;
        a server without an administrator prints one when it starts.
      </p>
    </details>
  </>
);

interface Link {
  readonly purpose: "first-admin" | "password";
  readonly name: string | null;
  readonly role: string;
}

/** `/setup#SECRET`: behind the #, so that the browser does not send it by itself. */
export function Setup() {
  const token = location.hash.slice(1);
  const [link, setLink] = useState<Link>();
  const [problem, setProblem] = useState("");
  useEffect(() => {
    if (token === "") setProblem("This link is incomplete: copy all of it.");
    else
      ask<Link>("POST", "/api/setup/look", { token }).then(setLink, (error) => setProblem(sentence(error)));
  }, []);
  if (problem) {
    return (
      <Card title="Link not valid">
        <p role="alert">{problem}</p>
        <a href={onServer("/")}>Go to sign-in</a>
      </Card>
    );
  }
  if (!link) return null;
  const submit = async (fields: FormData) => {
    const name = link.name ?? `${fields.get("name")}`.trim().toLowerCase();
    await ask("POST", "/api/setup", { token, name, password: `${fields.get("password")}`, cookie: true });
    location.replace(onServer("/"));
  };
  const isFirst = link.purpose === "first-admin";
  return (
    <CardForm
      title={isFirst ? "First administrator" : `Welcome, ${link.name}`}
      action={isFirst ? "Create administrator" : "Set password"}
      onSubmit={submit}
    >
      <p class="quiet">
        {isFirst
          ? "This server has no administrator yet. Choose a name and a password; you can add other users later."
          : `Choose a password for your account. Your role is ${link.role}.`}
      </p>
      <NameField fixed={link.name ?? undefined} />
      <PasswordField label="New password" autocomplete="new-password" minLength={MIN_PASSWORD_LENGTH} />
    </CardForm>
  );
}

interface CardFormProps {
  readonly title: string;
  readonly action: string;
  readonly onSubmit: (fields: FormData) => Promise<void>;
  readonly children: ComponentChildren;
  /** Below the button. */
  readonly footer?: ComponentChildren;
}

function CardForm({ title, action, onSubmit, children, footer }: CardFormProps) {
  const { isBusy, problem, run, forget } = useAction();
  return (
    <Card title={title}>
      <Form onSubmit={(form) => run(() => onSubmit(new FormData(form)))} onEdit={forget}>
        {children}
        <Problem text={problem} />
        <button type="submit" disabled={isBusy}>
          {isBusy ? "One moment…" : action}
        </button>
      </Form>
      {footer}
    </Card>
  );
}

const Card = ({ title, children }: { readonly title: string; readonly children: ComponentChildren }) => (
  <main class="sign-in">
    <div class="card">
      <p class="brand">Skyslot</p>
      <h1>{title}</h1>
      {children}
    </div>
  </main>
);

function NameField({ fixed }: { readonly fixed?: string | undefined }) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (fixed === undefined) input.current?.focus();
  }, []);
  return (
    <>
      <label for="name">Name</label>
      <input
        ref={input}
        id="name"
        name="name"
        autocomplete="username"
        autocapitalize="none"
        spellcheck={false}
        maxLength={64}
        required
        {...(fixed === undefined ? {} : { value: fixed, readOnly: true })}
      />
    </>
  );
}

function PasswordField(props: {
  readonly label: string;
  readonly autocomplete: "current-password" | "new-password";
  readonly minLength?: number;
}) {
  const [isShown, setShown] = useState(false);
  const { label, autocomplete, minLength } = props;
  return (
    <>
      <label for="password">{label}</label>
      <div class="with-button">
        <input
          id="password"
          name="password"
          type={isShown ? "text" : "password"}
          autocomplete={autocomplete}
          maxLength={256}
          required
          {...(minLength === undefined ? {} : { minLength, "aria-describedby": "password-hint" })}
        />
        <Button isPressed={isShown} onClick={() => setShown(!isShown)}>
          {isShown ? "Hide" : "Show"}
        </Button>
      </div>
      {minLength !== undefined && (
        <p id="password-hint" class="quiet">
          At least {minLength} characters. A passphrase works well.
        </p>
      )}
    </>
  );
}
