// What the firmware keeps in NVS: its keys, and how long their values may be. Only these are read at a boot: a key of another version is
// not touched, and a value that is too long would fill the heap before anything could be mended. An app adds its own (App.stores).

/** The longest value of each key, characters; the keys have at most 15. */
export const STORED_LIMITS: Readonly<Record<string, number>> = Object.freeze({
  // settings/preferences.ts; four networks, every character of which may be escaped
  layout: 4,
  networks: 2_400,
  ssid: 200,
  password: 400,
  server: 200,
  "tls.authority": 1_900,
  "check.seconds": 10,
  "device.name": 40,
  "push.token": 64,
  "push.unsigned": 1,
  "push.bearer": 1,
  // identity.ts
  "device.id": 32,
  // update: what was installed, what is not installed again, what may have crashed the device
  install: 1_500,
  held: 64,
  staged: 500,
  undo: 75,
  boots: 16,
  "clock.floor": 16,
  offer: 80,
  "offer.held": 80,
  "offer.failed": 40,
  // trial
  unhealthy: 16,
  "trial.reason": 500,
  restart: 32,
  // trust
  "trust.root": 1_536,
  "trust.sequence": 86,
  "trust.fresh": 10,
  // wifi
  "link.restarts": 8,
  // server
  "server.token": 340,
  "token.other": 360,
  "order.restart": 240,
});

/** Values by their keys. */
export type StoredValues = Readonly<Record<string, string>>;
