// What the image says of itself beyond ESP-IDF's application description, for who is about to install it: how it keeps its settings, and what it
// speaks with the other device of its pair.
// The linker puts it right behind the application description ("custom app version info" in ESP-IDF's linker scripts), so that it lies
// at offset 288 of the image. Read in ../../core/image.ts.

#include <stdint.h>

#include "sdkconfig.h"
#if __has_include("mc.defines.h")
#include "mc.defines.h" // "defines" of the app's manifest
#endif

#ifndef MODDEF_SKYSLOT_PROTOCOL
#define MODDEF_SKYSLOT_PROTOCOL 0 // it has no pair
#endif
#ifndef MODDEF_SKYSLOT_MIN_COMPATIBLE
#define MODDEF_SKYSLOT_MIN_COMPATIBLE 0
#endif

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
	uint8_t protocol; // of the packets between the two of a pair, 1 to 255; 0: it does not say
	uint32_t min_compatible; // oldest version of the other one, major * 10000 + minor * 100 + patch; 0: any
	uint8_t rest[4];
} skyslot_description_t;

const __attribute__((section(".rodata_custom_desc"))) skyslot_description_t skyslot_description = {
	.magic = SKYSLOT_MAGIC,
	.layout = 1,
	.protocol = MODDEF_SKYSLOT_PROTOCOL,
	.min_compatible = MODDEF_SKYSLOT_MIN_COMPATIBLE,
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

// The clock of the processor that this build runs with, MHz.
int32_t skyslot_cpu_mhz(void)
{
	return CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ;
}

// The two bytes about the settings, `nvs` in the lower one. Calling this keeps the linker from dropping the description, for
// which it has to be read, not known at compile time.
int32_t skyslot_nvs(void)
{
	const volatile skyslot_description_t *description = &skyslot_description;
	return description->nvs | description->nvs_key << 8;
}
