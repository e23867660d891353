// What `npm run fuzz -- --help` prints.

export const HELP = `npm run fuzz -- [server] [--requests 200000] [--seed S] [--first N]
  Sends random requests to a server. It must answer none with 5xx, hang on none, and keep its memory.

npm run fuzz -- device [--inputs 1000000] [--seed S] [--first N] [--only KIND] [--json]
  Feeds random inputs to virtual devices. None may restart a device, hang it, let it grow, or have it arm an image that was not signed.

npm run fuzz -- roots|statements|manifests [--inputs 100000] [--seed S]
  Random trust roots, statements of freshness, manifests: a device accepts those that a reference written with jose accepts, and no others.

npm run fuzz -- device --only KIND --seed S --replay 3,7-9
  Feeds these inputs to one device, and prints what happens.`;
