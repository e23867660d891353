// A box that scrolls sideways takes the keyboard focus where nothing in it does: otherwise only a pointer could reach what it hides.

import { useEffect, useRef, useState } from "preact/hooks";

const FOCUSABLE = "a, button, input, select, textarea, summary";

export function useReach() {
  const box = useRef<HTMLDivElement>(null);
  const [isReached, setIsReached] = useState(true);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const look = () =>
      setIsReached(element.scrollWidth <= element.clientWidth || element.querySelector(FOCUSABLE) !== null);
    const observer = new ResizeObserver(look);
    for (const each of [element, element.firstElementChild]) if (each) observer.observe(each);
    return () => observer.disconnect();
  }, []);
  return { box, tabIndex: isReached ? undefined : 0 };
}
