#include "named.h"

#include <ctype.h>
#include <string.h>

static bool in_name(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 || c == '_' || c == '-' ||
           c == '.';
}

bool named_is_name(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!in_name(s[i]))
            return false;
    return len > 0 && !isdigit((unsigned char)s[0]) && s[0] != '-' && s[0] != '.';
}

int named_add(struct mien_buf *text, const char *name, size_t name_len, const char *value,
              size_t len)
{
    if (mien_buf_reserve(text, name_len + len + 3) < 0)
        return MIEN_ERR_MEM;
    char *p = (char *)text->data + text->len;
    if (name_len == 0 || !named_is_name(name, 1))
        *p++ = '_';
    for (size_t i = 0; i < name_len; i++)
        *p++ = in_name(name[i]) ? name[i] : '_';
    *p++ = '=';
    for (size_t i = 0; i < len; i++)
        *p++ = iscntrl((unsigned char)value[i]) ? ' ' : value[i];
    *p++ = '\n';
    text->len = (size_t)((unsigned char *)p - text->data);
    return 0;
}

bool named_next(const char **at, const char *end, struct named *out)
{
    while (*at < end) {
        const char *s = *at, *stop = memchr(s, '\n', (size_t)(end - s));
        if (stop == NULL)
            stop = end;
        *at = stop + (stop < end);
        const char *eq = memchr(s, '=', (size_t)(stop - s));
        if (eq == NULL || !named_is_name(s, (size_t)(eq - s)))
            continue;
        *out = (struct named){s, eq + 1, (size_t)(eq - s), (size_t)(stop - eq) - 1};
        return true;
    }
    return false;
}

bool named_find(const struct mien_rec *r, const char *name, size_t name_len, struct named *out)
{
    size_t len = 0;
    const char *at = mien_rec_text(r, MIEN_TAG_FIELDS, &len);
    if (at == NULL)
        return false;
    for (const char *end = at + len; named_next(&at, end, out);)
        if (out->name_len == name_len && memcmp(out->name, name, name_len) == 0)
            return out->len > 0;
    return false;
}
