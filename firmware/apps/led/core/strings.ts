// What the settings of an LED strip are called, in English. Another language is another table of the same shape.

export const LED_STRINGS = Object.freeze({
  title: "LED strip",
  pattern: "Pattern",
  patterns: Object.freeze({
    solid: "Solid",
    blink: "Blink",
    breathe: "Breathe",
    rainbow: "Rainbow",
    chase: "Chase",
  }),
  colour: "Colour",
  colourHint: "A rainbow has its own.",
  brightness: "Brightness",
  speed: "Speed, cycles a minute",
  count: "LEDs on the strip",
  pin: "Pin of the data line (GPIO)",
  pinHint: "Only pins that can drive a strip.",
});
