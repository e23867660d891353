// Keyboard focus: the focused element stays visible, and when it is removed, the focus moves on. Otherwise it would be lost until the next
// Tab.

/** Focuses the beginning of the page. */
export const focusContent = (): void => document.getElementById("content")?.focus({ preventScroll: true });

/** For wide tables on phones: browsers scroll only the edge of the focused element into view. */
export function showWhole({ target }: FocusEvent): void {
  if (target instanceof HTMLElement && target.matches(".table :focus-visible"))
    target.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** Called before an element is removed that may have the focus: its nearest remaining ancestor gets the focus. */
export function passFocusOn(element: HTMLElement | null): void {
  const around = element?.parentElement;
  if (!around?.contains(document.activeElement)) return;
  queueMicrotask(() => {
    if (document.activeElement !== document.body) return;
    if (!around.isConnected) return focusContent();
    around.tabIndex = -1;
    around.focus({ preventScroll: true });
  });
}
