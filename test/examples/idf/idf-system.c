/* The rest: the program's main, restarts, time, settings, and SHA-256 (FIPS 180-4). A restart ends the process with 42; a wait that is
 * longer than any within an update ends it with 0. */

#include <stdlib.h>

#include "idf.h"

void app_main(void);

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    app_main();
}

const char *idf_setting(const char *name) { return getenv(name) ? getenv(name) : ""; }
void esp_restart(void) { exit(42); }
uint32_t esp_random(void) { return 4; }
esp_err_t esp_netif_init(void) { return ESP_OK; }
esp_err_t esp_event_loop_create_default(void) { return ESP_OK; }
/* IDF_NO_NETWORK: firmware that does not get its network up, so that it never confirms. */
esp_err_t example_connect(void) { return getenv("IDF_NO_NETWORK") ? ESP_FAIL : ESP_OK; }

void vTaskDelay(TickType_t ticks)
{
    if (ticks < 60000) return;
    printf("I idf: waits %u s\n", ticks / 1000);
    exit(0);
}

esp_err_t esp_read_mac(uint8_t *mac, int type)
{
    (void)type;
    memcpy(mac, "\x24\x6f\x28\xaa\xbb\xcc", 6);
    return ESP_OK;
}

void idf_check(esp_err_t error, const char *what)
{
    if (error == ESP_OK) return;
    printf("E idf: %s failed with %s\n", what, esp_err_to_name(error));
    exit(42); /* abort() restarts a chip */
}

const char *esp_err_to_name(esp_err_t error)
{
    switch (error) {
    case ESP_OK: return "ESP_OK";
    case ESP_FAIL: return "ESP_FAIL";
    case ESP_ERR_INVALID_STATE: return "ESP_ERR_INVALID_STATE";
    case ESP_ERR_INVALID_SIZE: return "ESP_ERR_INVALID_SIZE";
    case ESP_ERR_NOT_FOUND: return "ESP_ERR_NOT_FOUND";
    case ESP_ERR_TIMEOUT: return "ESP_ERR_TIMEOUT";
    case ESP_ERR_INVALID_CRC: return "ESP_ERR_INVALID_CRC";
    case ESP_ERR_OTA_VALIDATE_FAILED: return "ESP_ERR_OTA_VALIDATE_FAILED";
    default: return "another error";
    }
}

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};
static uint32_t rotate(uint32_t word, int count) { return word >> count | word << (32 - count); }

static void take_block(mbedtls_sha256_context *sha)
{
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)sha->block[4 * i] << 24 | sha->block[4 * i + 1] << 16 | sha->block[4 * i + 2] << 8 | sha->block[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[i - 7] + (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
    }
    memcpy(s, sha->state, sizeof s);
    for (int i = 0; i < 64; i++) {
        uint32_t one = s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + K[i] + w[i];
        uint32_t two = (rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += one;
        s[0] = one + two;
    }
    for (int i = 0; i < 8; i++) sha->state[i] += s[i];
}

void mbedtls_sha256_init(mbedtls_sha256_context *sha) { memset(sha, 0, sizeof *sha); }
int mbedtls_sha256_starts(mbedtls_sha256_context *sha, int is224)
{
    static const uint32_t first[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
    memcpy(sha->state, first, sizeof first);
    sha->length = 0;
    return is224;
}
int mbedtls_sha256_update(mbedtls_sha256_context *sha, const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        sha->block[sha->length++ % 64] = bytes[i];
        if (sha->length % 64 == 0) take_block(sha);
    }
    return 0;
}
int mbedtls_sha256_finish(mbedtls_sha256_context *sha, unsigned char *digest)
{
    uint64_t bits = sha->length * 8;
    mbedtls_sha256_update(sha, (const unsigned char *)"\x80", 1);
    while (sha->length % 64 != 56) mbedtls_sha256_update(sha, (const unsigned char *)"", 1);
    for (int i = 7; i >= 0; i--) {
        unsigned char byte = bits >> (8 * i);
        mbedtls_sha256_update(sha, &byte, 1);
    }
    for (int i = 0; i < 32; i++) digest[i] = sha->state[i / 4] >> (24 - 8 * (i % 4));
    return 0;
}
void mbedtls_sha256_free(mbedtls_sha256_context *sha) { (void)sha; }
int psa_crypto_init(void) { return 0; }
psa_hash_operation_t psa_hash_operation_init(void) { return (psa_hash_operation_t){ .length = 0 }; }
int psa_hash_setup(psa_hash_operation_t *operation, uint32_t algorithm)
{
    return algorithm == PSA_ALG_SHA_256 ? mbedtls_sha256_starts(operation, 0) : -1;
}
int psa_hash_update(psa_hash_operation_t *operation, const uint8_t *bytes, size_t length)
{
    return mbedtls_sha256_update(operation, bytes, length);
}
int psa_hash_finish(psa_hash_operation_t *operation, uint8_t *digest, size_t size, size_t *length)
{
    *length = 32;
    return size < 32 ? -1 : mbedtls_sha256_finish(operation, digest);
}
int psa_hash_abort(psa_hash_operation_t *operation)
{
    (void)operation;
    return 0;
}
