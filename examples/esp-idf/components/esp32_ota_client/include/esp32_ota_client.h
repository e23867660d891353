/* An update client for ESP-IDF (5.1 and newer): one call asks the server, downloads, verifies, installs and reports. It is for device types
 * that are `legacy` on the server: it verifies the SHA-256 that the server states, but no signature. Use https, and call it from a task with
 * 10 KiB of stack. */
#pragma once

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *server_url;      /* such as "https://updates.example.com", without a slash at its end */
    const char *device_id;       /* 1 to 64 characters of A-Z a-z 0-9 . _ : - */
    const char *device_type;     /* as it is called on the server */
    const char *current_version; /* such as "1.0.0" */
    int current_build;
    const char *token;    /* of the device (skd_...) or its type (ske_...); NULL: none */
    const char *cert_pem; /* of the CA that signed the server's certificate; NULL: ESP-IDF's bundle */
} ota_config_t;

/* Asks once for an update. If there is one it is installed, and the device restarts: the call does not return then.
 * ESP_OK: there is nothing newer. ESP_ERR_INVALID_SIZE: the image is larger than the slot. ESP_ERR_INVALID_CRC: its SHA-256 is not the one
 * that the server stated. ESP_FAIL: the server refuses this device. ESP_ERR_TIMEOUT: the server does not answer, or the connection broke too often. ESP_ERR_INVALID_STATE: the running
 * image is on trial; call ota_confirm first. After every error the running firmware stays, and the server knows why. */
esp_err_t ota_check_and_update(const ota_config_t *config);

/* Call it when your firmware has found that it works (its network is up, its sensors answer). A new image is on trial until then: if it
 * restarts before, the boot loader goes back to the old one. Tells the server. Does nothing if the running image is not on trial. */
esp_err_t ota_confirm(const ota_config_t *config);

/* Seconds to wait before the next check: what the server has asked for, or two minutes; a tenth more or less, so that
 * the devices of a fleet do not all ask at once. */
unsigned ota_wait_seconds(void);

#ifdef __cplusplus
}
#endif
