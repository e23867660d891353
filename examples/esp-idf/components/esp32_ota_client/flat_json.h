/* Reads the members of one flat JSON object. Nested values are skipped, and nothing is allocated. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The value of a member, as it is written; NULL if there is none. */
const char *json_member(const char *json, const char *name);

/* Copies a text. false: there is none, or it does not fit, or it contains an escape. */
bool json_text(const char *json, const char *name, char *out, size_t size);

/* A whole number from 0; -1 if there is none. */
long json_number(const char *json, const char *name);
