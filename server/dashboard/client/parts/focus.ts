// Where the keyboard is: what has the focus is to be seen, and when it goes, the focus goes on. Without this it would be nowhere
// until the next Tab.

/** To the beginning of the page that is shown. */
export const focusContent = (): void => document.getElementById("content")?.focus({ preventScroll: true });

/** Of a wide table on a phone: browsers are content when the edge of what has the focus is to be seen. */
export function showWhole({ target }: FocusEvent): void {
  if (target instanceof HTMLElement && target.matches(".table :focus-visible"))
    target.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** Called before an element goes that may have the focus: what stands around it gets that, if it stays. */
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
