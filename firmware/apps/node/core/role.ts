// The roles that a node of the mesh can have, and what each has at its pins. Data only.
//
//   pir       motion sensor, high while somebody moves        says motion 1 and 0
//   button    push button to ground                           says button 1 when pressed, 0 when let go
//   button2   the same                                        says button2 1 and 0
//   dht       DHT22 or DHT11                                  says temperature and humidity; they are in its checks, too
//   led       light                                           motion: on while it lasts; button: toggles; button2: off
//   watcher   nothing                                         logs what the others say

export type Role = "pir" | "led" | "button" | "button2" | "dht" | "watcher";

/** What a node can say, and what is said of it. */
export type SignalName = "motion" | "button" | "button2" | "temperature" | "humidity";

/** What a role says of its one input; absent: it has none. */
export const INPUT_SIGNALS: Readonly<Partial<Record<Role, SignalName>>> = Object.freeze({
  pir: "motion",
  button: "button",
  button2: "button2",
});

/** Whether a role does something about what others say. */
export const isListening = (role: Role): boolean => role === "led" || role === "watcher";
