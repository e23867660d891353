// The roles that a node of the mesh can have. Data only.

export type Role = "pir" | "led" | "button" | "button2" | "dht" | "watcher";

export const ROLES: readonly Role[] = Object.freeze(["pir", "led", "button", "button2", "dht", "watcher"]);

/** `undefined`: the build names none of them. */
export const roleOf = (name: string): Role | undefined => ROLES.find((role) => role === name);
