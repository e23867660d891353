// The roles that a node of the mesh can have. Types only.

export type Role = "pir" | "led" | "button" | "button2" | "dht" | "watcher";
