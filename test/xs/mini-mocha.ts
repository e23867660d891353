// describe, it and the hooks for tests that run inside XS: collects them, runs them one after the other, and reports their outcome to
// Node through the module `skyslot:report`. Injected into the bundle of the tests by run-tests-in-xs.ts.

import { finished } from "skyslot:report";

type Action = () => unknown;

interface Suite {
  readonly title: string;
  readonly before: Action[];
  readonly after: Action[];
}

const suites: Suite[] = [{ title: "", before: [], after: [] }];
const tests: { readonly title: string; readonly path: readonly Suite[]; readonly action: Action }[] = [];

export function describe(title: string, define: () => void): void {
  suites.push({ title, before: [], after: [] });
  define();
  suites.pop();
}

export function it(title: string, action: Action): void {
  tests.push({ title, path: [...suites], action });
}

export const beforeEach = (action: Action): unknown => suites.at(-1)?.before.push(action);
export const afterEach = (action: Action): unknown => suites.at(-1)?.after.push(action);

/** Runs the collected tests. */
export async function run(): Promise<void> {
  for (const { title, path, action } of tests) {
    const name = [...path.map((suite) => suite.title), title].filter((part) => part !== "").join(": ");
    try {
      for (const suite of path) for (const hook of suite.before) await hook();
      await action();
      for (const suite of path) for (const hook of suite.after) await hook();
      finished(name, "");
    } catch (error) {
      const { message, stack } = error as Error;
      finished(name, `${message ?? error}\n${stack ?? ""}`);
    }
  }
}
