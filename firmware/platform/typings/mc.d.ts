// What mcconfig makes of a manifest: `mc/config` from "config", `mc/ffi` from "ffi". Keep in step with ../manifest.json and the
// apps' manifests.

declare module "mc/config" {
  const config: {
    /** Kind of firmware, such as "base". */
    readonly type: string;
    /** Name of the board. */
    readonly hardware: string;
    /** Update server, `http://host[:port]` or `https://host[:port]`; settings in NVS win. */
    readonly server: string;
    readonly checkSeconds: number;
    readonly trialSeconds: number;
    readonly trialDeadlineSeconds: number;
    /** Token of the push port 3232; absent or empty: push is off unless one is stored in NVS. */
    readonly pushToken?: string;
    readonly enrolmentToken?: string;
    /** Of the packets between paired devices, 0 to 255. */
    readonly protocolVersion?: number;
    /** Oldest version of the other device of a pair that this firmware works with, such as "1.2.0". */
    readonly minCompatible?: string;
    /** Release keys this build trusts: P-256 points, base64url. */
    readonly keys: readonly { readonly kid: string; readonly x: string; readonly y: string }[];
    /**
     * Authorities that sign the certificates of https servers: DER, base64; "public": those of public-authorities.ts, as without any. On mcconfig's
     * command line one text, with commas.
     */
    readonly authorities?: string | readonly string[];
    /** The first trust root, as its text; absent or empty: the keys above count for ever, and no root is taken. */
    readonly root?: string;
    /** The LED that shows the status; absent: none. */
    readonly statusLed?: { readonly pin: number; readonly activeLow: boolean };
    /** An app's own fields, as the app declares them: apps/NAME/config.d.ts. */
    readonly [field: string]: unknown;
  };
  export default config;
}

declare module "mc/ffi" {
  /** Buffers are ArrayBuffers of exactly the size named in the manifest; errors are esp_err_t (0 = ESP_OK). */
  export default class FFI {
    // ESP-IDF
    esp_restart(): void;
    /** esp_reset_reason_t. */
    esp_reset_reason(): number;
    /** FreeRTOS: the calling task waits for this number of ticks, at least until the next one; other tasks run. */
    vTaskDelay(ticks: number): void;
    /** Closes NVS with all that is open in it; opens it again. */
    nvs_flash_deinit(): number;
    nvs_flash_init(): number;
    /** 32 random bits, unsigned. */
    esp_random(): number;
    /** Bytes. */
    esp_get_free_heap_size(): number;
    /** Writes 6 bytes. */
    esp_efuse_mac_get_default(mac: ArrayBuffer): number;
    esp_ota_mark_app_valid_cancel_rollback(): number;
    /** Only comes back when there is no other bootable image. */
    esp_ota_mark_app_invalid_rollback_and_reboot(): number;
    // firmware/platform/native/skyslot-ota.c
    /** Writes the label of the running slot and zeros, 17 bytes. */
    skyslot_running(label: ArrayBuffer): void;
    /** The same for the slot that the next update goes to; empty if there is none. */
    skyslot_next(label: ArrayBuffer): void;
    /** Writes to the slot that the next update goes to have to begin and end at multiples of this, bytes: 16 where flash is encrypted. */
    skyslot_write_unit(): number;
    /** The same for the slot that otadata selects; another than the running one if that slot's image is broken. */
    skyslot_boot(label: ArrayBuffer): void;
    /** 1 if there is a whole image to go back to: verifies it, some 100 ms. */
    skyslot_can_roll_back(): number;
    /** esp_ota_img_states_t of the running slot, -1 undefined; an error negated below that. */
    skyslot_slot_state(): number;
    skyslot_partition_state(label: string): number;
    /** esp_ota_set_boot_partition: verifies the image and makes it the next to boot. */
    skyslot_arm(label: string): number;
    skyslot_arm_running(): number;
    /** 1 if this build is confirmed by the firmware alone, when its trial has passed. */
    skyslot_confirms_by_app(): number;
    /** Doubles the task watchdog's time, see sdkconfig.defaults. */
    skyslot_widen_watchdog(): number;
    // firmware/platform/native/skyslot-description.c
    /** How this image keeps its settings, as the two bytes in its description: the kind, and above it the block of its key. */
    skyslot_nvs(): number;
    /** Clock of the processor, MHz. */
    skyslot_cpu_mhz(): number;
    // firmware/platform/native/skyslot-nvs.c
    /** The error for which the settings were erased at this start, before the SDK opened them; 0: they were not. */
    skyslot_nvs_erased(): number;
    // firmware/platform/native/skyslot-host-name.c
    /** What DHCP tells the router, at most 32 bytes; an interface that is not there: an error. */
    skyslot_host_name(name: string): number;
    // firmware/platform/native/skyslot-portal.c
    /** Builds with Wi-Fi only: DHCP option 114 of the access point, at most 255 bytes; an access point that is not up: an error. */
    skyslot_portal_uri(uri: string): number;
    // firmware/platform/native/skyslot-ethernet.c, in builds for a cable only
    /** Writes the 4 bytes of the name server's address. */
    skyslot_name_server(address: ArrayBuffer): number;
    // firmware/apps/cms/sleep/skyslot-sleep.c, in `cms` only
    /** Ends this boot; the chip starts again after this time, at most 2 ** 32 ms. */
    skyslot_deep_sleep(milliseconds: number): never;
    // firmware/apps/node/pins/skyslot-dht.c, in `node` only
    /** Writes the 5 bytes that a DHT22 or DHT11 at this pin sends; 0 or an error. Takes 25 ms. */
    skyslot_dht_read(pin: number, bytes: ArrayBuffer): number;
    // firmware/platform/radio/skyslot-espnow.c, in apps with a radio only
    /** Starts ESP-NOW, or starts it anew, on this channel; Wi-Fi runs already, as a station. */
    skyslot_radio_start(channel: number): number;
    /** Without effect while a network is joined. */
    skyslot_radio_tune(channel: number): number;
    /** 0: a result with this number will be taken. `to` is 6 bytes, `bytes` 250, of which `length` are sent. */
    skyslot_radio_send(number: number, to: ArrayBuffer, bytes: ArrayBuffer, length: number): number;
    /** Writes what comes next into 259 bytes, and gives its kind: see radio.ts. */
    skyslot_radio_take(record: ArrayBuffer): number;
    // firmware/platform/radio/skyslot-parts.c, in apps with a radio only
    /** Adds (XOR) parts of a block, a set of 10 bytes, to 224 bytes; from the next slot, or with 1 from the partition "cache". 0 or an error. */
    skyslot_add_parts(
      isCache: number,
      offset: number,
      length: number,
      parts: ArrayBuffer,
      sum: ArrayBuffer,
    ): number;
    /** Adds those of 31 parities of 224 bytes whose bits are set. */
    skyslot_add_parities(parities: ArrayBuffer, combination: number, sum: ArrayBuffer): void;
    // firmware/platform/native/skyslot-verify.c
    /** Point 04 ‖ x ‖ y of 65 bytes, SHA-256, r ‖ s of 64 bytes. 1 if valid, 0 otherwise. */
    skyslot_verify_p256(publicKey: ArrayBuffer, digest: ArrayBuffer, signature: ArrayBuffer): number;
    // firmware/platform/native/skyslot-tls.c
    /** A TLS client of this host; times in seconds since 1970, `told` 0 where there is none. The session's number from 1, or below 0 why not. */
    skyslot_tls_open(host: string, earliest: number, told: number): number;
    /** An operation of a session (tls-socket.ts), with the first `length` bytes of the buffer. */
    skyslot_tls(session: number, operation: number, bytes: ArrayBuffer, length: number): number;
    // firmware/platform/native/skyslot-derive.c
    /** PBKDF2-HMAC-SHA256 into 32 bytes; 1 on success. */
    skyslot_derive_key(password: string, salt: string, rounds: number, key: ArrayBuffer): number;
  }
}
