// What the settings of a display are called, in English. Another language is another table of the same shape.

export const CMS_STRINGS = Object.freeze({
  title: "Display",
  refreshSeconds: "Look for a new picture every … seconds",
  sleepSeconds: "Sleep … seconds between looks",
  sleepHint: "0: never. Counts from the next start on.",
});
