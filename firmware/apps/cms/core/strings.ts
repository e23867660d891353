// What the settings of a display are called, in English. Another language is another table of the same shape.

export const CMS_STRINGS = Object.freeze({
  title: "Display",
  refreshSeconds: "Look for a new picture every … seconds",
  sleepSeconds: "Sleep … seconds between looks",
  sleepHint: (builtSeconds: number) =>
    `0: never, for a device on mains power, which checks for updates every 2 minutes; otherwise it checks each time it wakes. Default: ${builtSeconds}. Counts from the next start on.`,
});
