// An app that fails whenever an image is installed, like one that leaves too little memory for that.

import Timer from "timer";
import { startDevice } from "../../../firmware/platform/start.js";

startDevice({
  connect: () => ({
    showStatus({ name }) {
      if (name !== "updating") return;
      Timer.set(() => {
        throw new Error("there is no room for an update beside this app");
      }, 0);
    },
  }),
});
