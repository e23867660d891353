// What the image says of itself beyond ESP-IDF's application description, for who is about to install it: how it keeps its settings.
// The linker puts it right behind the application description ("custom app version info" in ESP-IDF's linker scripts), so that it lies
// at offset 288 of the image. Read in ../../core/image.ts.

#include <stdint.h>

#include "sdkconfig.h"

#define SKYSLOT_MAGIC 0x44594b53 // "SKYD"

enum {
	KEEPS_PLAIN = 0,
	KEEPS_BY_HMAC = 1, // encrypted, with a key that the HMAC peripheral derives from an eFuse block
	KEEPS_BY_KEYS_PARTITION = 2, // encrypted, with keys in the partition nvs_keys
};

typedef struct {
	uint32_t magic;
	uint8_t layout; // 1; whatever is added later goes into the rest
	uint8_t nvs;
	uint8_t nvs_key; // block of the eFuse key
	uint8_t rest[9];
} skyslot_description_t;

const __attribute__((section(".rodata_custom_desc"))) skyslot_description_t skyslot_description = {
	.magic = SKYSLOT_MAGIC,
	.layout = 1,
#if CONFIG_NVS_ENCRYPTION && CONFIG_NVS_SEC_KEY_PROTECT_USING_HMAC
	.nvs = KEEPS_BY_HMAC,
	.nvs_key = CONFIG_NVS_SEC_HMAC_EFUSE_KEY_ID,
#elif CONFIG_NVS_ENCRYPTION
	.nvs = KEEPS_BY_KEYS_PARTITION,
#else
	.nvs = KEEPS_PLAIN,
#endif
};

_Static_assert(sizeof(skyslot_description_t) == 16, "core/image.ts reads 16 bytes");

// The two bytes about the settings, `nvs` in the lower one. Calling this keeps the linker from dropping the description, for
// which it has to be read, not known at compile time.
int32_t skyslot_nvs(void)
{
	const volatile skyslot_description_t *description = &skyslot_description;
	return description->nvs | description->nvs_key << 8;
}
