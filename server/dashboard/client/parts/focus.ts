// Where the keyboard goes on when what had the focus is no longer there. Without this it would be nowhere until the next Tab.

/** To the beginning of the page that is shown. */
export const focusContent = (): void => document.getElementById("content")?.focus({ preventScroll: true });

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
