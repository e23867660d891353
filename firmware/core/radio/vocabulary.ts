// What can happen on a device's connectionless radio (ESP-NOW), and what it can be asked to do. Only apps whose devices speak to each other
// without an access point have it: their machines know these events and effects beside core's own (event.ts, effect.ts).
//
// A frame is received or lost as a whole. It may arrive twice, late, or in another order than it was sent, and anyone in range can send one:
// nothing in it is believed before it is checked.

/** Longest frame, bytes: ESP_NOW_MAX_DATA_LEN of ESP-IDF's esp_now.h. */
export const MAX_FRAME_BYTES = 250;

/** To everybody in range; never acknowledged. */
export const BROADCAST = "ff:ff:ff:ff:ff:ff";

export type RadioEvent =
  | {
      readonly type: "frameReceived";
      /** Of the sender, `aa:bb:cc:dd:ee:ff`. */
      readonly from: string;
      readonly isBroadcast: boolean;
      /** 1 to MAX_FRAME_BYTES. */
      readonly bytes: Uint8Array;
      /** dBm. */
      readonly rssi: number;
    }
  /** The frame has left. To one device: whether its radio has acknowledged it, which says nothing about its firmware. */
  | { readonly type: "frameSent"; readonly frame: number; readonly isAcknowledged: boolean }
  /** Frames that arrived were dropped because they were not read in time. */
  | { readonly type: "framesDropped"; readonly count: number }
  /** It could not be started, or put on a channel: it stays on the one before, and receives if it has been started before. */
  | { readonly type: "radioFailed"; readonly message: string };

export type RadioEffect =
  /**
   * Receives from now on. A device that has joined no network listens on this channel; one that has, on its network's. 1 to 13, of which 12
   * and 13 fail by ESP-IDF's default country; every channel fails while the device searches for networks or joins one.
   */
  | { readonly type: "startRadio"; readonly channel: number }
  /** Without effect while a network is joined: its access point decides on the channel. */
  | { readonly type: "tuneRadio"; readonly channel: number }
  /**
   * Answered by `frameSent` with the same number, in order. At most MAX_FRAMES_UNDER_WAY may wait for that; more are answered at once as not
   * acknowledged, unsent.
   */
  | {
      readonly type: "sendFrame";
      readonly frame: number;
      /** A device's address, or BROADCAST. */
      readonly to: string;
      /** 1 to MAX_FRAME_BYTES. */
      readonly bytes: Uint8Array;
    };

/** Frames handed to the radio that have not left yet: the driver's own queue is about as long. */
export const MAX_FRAMES_UNDER_WAY = 6;
