/* SHA-256 of what arrives piece by piece. Mbed TLS 4, in ESP-IDF 6, offers it through PSA only. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_idf_version.h"

#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(6, 0, 0)
#include "psa/crypto.h"
typedef psa_hash_operation_t sha256_t;
static inline void sha256_begin(sha256_t *sha)
{
    psa_crypto_init();
    *sha = psa_hash_operation_init();
    psa_hash_setup(sha, PSA_ALG_SHA_256);
}
static inline void sha256_add(sha256_t *sha, const void *bytes, size_t length) { psa_hash_update(sha, bytes, length); }
static inline void sha256_end(sha256_t *sha, uint8_t digest[32])
{
    size_t length;
    psa_hash_finish(sha, digest, 32, &length);
}
static inline void sha256_drop(sha256_t *sha) { psa_hash_abort(sha); }
#else
#include "mbedtls/sha256.h"
typedef mbedtls_sha256_context sha256_t;
static inline void sha256_begin(sha256_t *sha)
{
    mbedtls_sha256_init(sha);
    mbedtls_sha256_starts(sha, 0);
}
static inline void sha256_add(sha256_t *sha, const void *bytes, size_t length) { mbedtls_sha256_update(sha, bytes, length); }
static inline void sha256_end(sha256_t *sha, uint8_t digest[32])
{
    mbedtls_sha256_finish(sha, digest);
    mbedtls_sha256_free(sha);
}
static inline void sha256_drop(sha256_t *sha) { mbedtls_sha256_free(sha); }
#endif
