#include "flat_json.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *skip_string(const char *at) /* at its first quote; returns what is behind the last, or NULL */
{
    for (at++; *at != '"'; at++) {
        if (*at == '\\') at++;
        if (*at == 0) return NULL;
    }
    return at + 1;
}

static const char *skip_value(const char *at)
{
    int depth = 0;
    for (;;) {
        if (*at == 0) return NULL;
        if (*at == '"') {
            if ((at = skip_string(at)) == NULL) return NULL;
            continue;
        }
        if (depth == 0 && (*at == ',' || *at == '}')) return at;
        if (*at == '{' || *at == '[') depth++;
        if (*at == '}' || *at == ']') depth--;
        at++;
    }
}

const char *json_member(const char *json, const char *name)
{
    size_t length = strlen(name);
    const char *at = strchr(json, '{');
    while (at != NULL && *at != 0 && *at != '}') {
        for (at++; isspace((unsigned char)*at); at++) {}
        if (*at != '"') return NULL;
        const char *key = at + 1;
        if ((at = skip_string(at)) == NULL) return NULL;
        bool is_it = (size_t)(at - key - 1) == length && memcmp(key, name, length) == 0;
        while (isspace((unsigned char)*at)) at++;
        if (*at++ != ':') return NULL;
        while (isspace((unsigned char)*at)) at++;
        if (is_it) return at;
        at = skip_value(at);
    }
    return NULL;
}

bool json_text(const char *json, const char *name, char *out, size_t size)
{
    const char *at = json_member(json, name);
    const char *end = at != NULL && *at == '"' ? skip_string(at) : NULL;
    if (end == NULL || (size_t)(end - at - 1) > size) return false;
    memcpy(out, at + 1, end - at - 2);
    out[end - at - 2] = 0;
    return strchr(out, '\\') == NULL; /* none of the fields that are read here needs an escape */
}

long json_number(const char *json, const char *name)
{
    const char *at = json_member(json, name);
    return at != NULL && isdigit((unsigned char)*at) ? strtol(at, NULL, 10) : -1;
}
