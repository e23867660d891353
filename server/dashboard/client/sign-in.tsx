// Asks for the administrator's token and exchanges it for a cookie that scripts cannot see. The token is kept nowhere.

import { useState } from "preact/hooks";

export function SignIn() {
  const [problem, setProblem] = useState("");
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const token = new FormData(event.currentTarget as HTMLFormElement).get("token");
    const response = await fetch("/api/session", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token }),
    });
    if (response.ok) location.reload();
    else setProblem(((await response.json()) as { message: string }).message);
  };
  return (
    <main class="sign-in">
      <form class="card" onSubmit={submit}>
        <h1>Skyslot</h1>
        <p>
          This server asks who you are. Its token is in the file <code>admin.token</code> of its data folder.
        </p>
        <label for="token">Token</label>
        <input id="token" name="token" type="password" autocomplete="current-password" required />
        <p class="failure" role="alert">
          {problem}
        </p>
        <button type="submit">Sign in</button>
      </form>
    </main>
  );
}
