// The apps whose journeys run inside XS, and whose needs are measured there.

export const APPS: readonly string[] = Object.freeze(["base", "led", "cms"]);
