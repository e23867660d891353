// Firmware that cannot even start.

throw new Error("this firmware is broken");
