// An app that fails whenever an image is installed beside it, as one does that leaves too little memory for that.

import { startDevice } from "../../../firmware/platform/start.js";

startDevice({
  showStatus({ name }) {
    if (name === "updating") throw new Error("there is no room for an update beside this app");
  },
});
