// What the settings of a receiver are called, in English. Another language is another table of the same shape.

export const RECEIVER_STRINGS = Object.freeze({
  title: "Updates of the pair",
  updates: "A newer version of both",
  install: "is installed by itself",
  notify: "is shown, and waits for you",
  from: "By itself not before (hour, UTC)",
  to: "and not after (hour, UTC)",
  windowHint: "The same hour twice: at any time.",
  poll: "Look for one every … minutes",
  address: "MQTT broker",
  addressHint: "Such as mqtt://192.168.1.10. Empty: nobody is told of updates.",
  topic: "Topic",
  user: "User",
  password: "Password",
});
