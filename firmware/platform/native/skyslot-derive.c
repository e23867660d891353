// PBKDF2-HMAC-SHA256 (RFC 8018), one block of 32 bytes: what senders of espota make of a password. On HMAC alone, because the PSA
// interface has PBKDF2 itself only where the build switches it on. 10 000 rounds take about a second. Bound with mc/ffi; allocates
// nothing that outlives a call.

#include <stdint.h>
#include <string.h>

#include "psa/crypto.h"

#define KEY_BYTES 32
#define SALT_BYTES 160

// 1 if `key` holds the key, 0 for a salt that is too long or a lack of memory.
int32_t skyslot_derive_key(char *password, char *salt, uint32_t rounds, uint8_t *key)
{
	uint8_t message[SALT_BYTES + 4];
	size_t length = strlen(salt);
	if (length > SALT_BYTES || psa_crypto_init() != PSA_SUCCESS)
		return 0;
	memcpy(message, salt, length);
	memcpy(message + length, "\0\0\0\1", 4); // number of the block, big-endian
	length += 4;

	psa_algorithm_t hmac = PSA_ALG_HMAC(PSA_ALG_SHA_256);
	psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
	psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_MESSAGE);
	psa_set_key_algorithm(&attributes, hmac);
	psa_set_key_type(&attributes, PSA_KEY_TYPE_HMAC);
	psa_key_id_t id;
	if (psa_import_key(&attributes, (const uint8_t *)password, strlen(password), &id) != PSA_SUCCESS)
		return 0;

	psa_status_t status = PSA_SUCCESS;
	memset(key, 0, KEY_BYTES);
	for (uint32_t round = 0; round < rounds && status == PSA_SUCCESS; round++) {
		uint8_t digest[KEY_BYTES];
		size_t written;
		status = psa_mac_compute(id, hmac, message, length, digest, sizeof(digest), &written);
		memcpy(message, digest, length = sizeof(digest)); // each round's digest is the next one's message
		for (size_t i = 0; i < KEY_BYTES; i++)
			key[i] ^= digest[i];
	}
	psa_destroy_key(id);
	return status == PSA_SUCCESS;
}
