// The SDK's panel driver takes its pins from the global `device`, which a board's provider makes. Here they come from the manifest's
// "config": this module is preloaded and never imported, so that the global is in flash before any other code runs.

import Digital from "embedded:io/digital";
import SPI from "embedded:io/spi";
import config from "mc/config";
import type { CmsConfig } from "../config.js";

const { panel } = config as CmsConfig;
const SPI_DEFAULT = { default: { io: SPI, clock: panel?.clock, out: panel?.data, port: panel?.port } };

globalThis.device = Object.freeze(
  {
    io: { Digital, SPI },
    SPI: SPI_DEFAULT,
    // its name from release 10 of the SDK on
    spi: SPI_DEFAULT,
    pin: {
      epdSelect: panel?.select,
      epdDC: panel?.command,
      epdReset: panel?.reset,
      epdBusy: panel?.busy,
    },
  },
  true,
);
