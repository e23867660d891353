// ECDSA P-256 over a SHA-256 digest, by the PSA interface of the mbedTLS 4 that comes with ESP-IDF v6 (its mbedtls_ecdsa_* is no
// longer public). Bound with mc/ffi; allocates nothing that outlives a call.

#include <stdint.h>

#include "psa/crypto.h"

#define POINT_BYTES 65
#define DIGEST_BYTES 32
#define SIGNATURE_BYTES 64

// Uncompressed point 04 | x | y (SEC 1, 2.3.3), digest, r | s. 1 if the signature is good, 0 for anything else.
int32_t skyslot_verify_p256(uint8_t *point, uint8_t *digest, uint8_t *signature)
{
	if (psa_crypto_init() != PSA_SUCCESS) // does nothing if the startup code already did it
		return 0;

	psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
	psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_VERIFY_HASH);
	psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
	psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_PUBLIC_KEY(PSA_ECC_FAMILY_SECP_R1));
	psa_set_key_bits(&attributes, 256);

	psa_key_id_t key;
	if (psa_import_key(&attributes, point, POINT_BYTES, &key) != PSA_SUCCESS) // also a point that is not on the curve
		return 0;
	psa_status_t status = psa_verify_hash(key, PSA_ALG_ECDSA(PSA_ALG_SHA_256), digest, DIGEST_BYTES, signature, SIGNATURE_BYTES);
	psa_destroy_key(key);
	return status == PSA_SUCCESS;
}
