#include "history.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "util/printable.h"
#include "util/utf8.h"

static const char more[] = "...\n";

/* Appends n bytes of whole lines, as many as have room. */
static void append(struct history *h, const char *s, size_t n)
{
    size_t len = strlen(h->text), room = HISTORY_MAX - sizeof more - len;
    if (len >= sizeof more - 1 && strcmp(h->text + len - (sizeof more - 1), more) == 0)
        return; /* full */
    bool fits = n <= room;
    if (!fits) {
        for (n = room; n > 0 && s[n - 1] != '\n';)
            n--;
    }
    memcpy(h->text + len, s, n);
    memcpy(h->text + len + n, more, fits ? 0 : sizeof more - 1);
    h->text[len + n + (fits ? 0 : sizeof more - 1)] = '\0';
}

/* The length of the chain that begins at s, without the empty line behind it. */
static size_t chain(const char *s, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        if (s[i] == '\n' && s[i + 1] == '\n')
            return i + 1;
    }
    return n;
}

static bool has(const struct history *h, const char *s, size_t n)
{
    size_t len = strlen(h->text), k;
    for (size_t at = 0; at < len; at += k + 1) {
        k = chain(h->text + at, len - at);
        if (k == n && memcmp(h->text + at, s, n) == 0)
            return true;
    }
    return false;
}

void history_merge(struct history *h, const char *text, size_t n)
{
    char clean[HISTORY_MAX];
    size_t len = 0, k;
    if (n > sizeof clean - 2)
        n = utf8_fit(text, n, sizeof clean - 2);
    for (size_t at = 0; at < n; at += k + 1) { /* line by line: it may come from anywhere */
        const char *end = memchr(text + at, '\n', n - at);
        k = end != NULL ? (size_t)(end - text) - at : n - at;
        len += printable(clean + len, k + 1, text + at, k);
        clean[len++] = '\n';
    }
    for (size_t at = 0; at < len; at += k + 1) {
        k = chain(clean + at, len - at);
        if (k <= 1 || has(h, clean + at, k))
            continue;
        if (h->text[0] != '\0')
            append(h, "\n", 1);
        append(h, clean + at, k);
    }
}

void history_step(struct history *h, const char *step)
{
    struct history old = *h;
    size_t len = strlen(old.text), k;
    h->text[0] = '\0';
    for (size_t at = 0; at < len; at += k + 1) {
        k = chain(old.text + at, len - at);
        if (at > 0)
            append(h, "\n", 1);
        append(h, old.text + at, k);
        append(h, step, strlen(step));
    }
    if (len == 0)
        append(h, step, strlen(step));
}

int history_indent(struct mien_buf *out, const char *text)
{
    int rc = 0;
    for (size_t n; *text != '\0'; text += n + (text[n] == '\n')) {
        n = strcspn(text, "\n");
        rc |= n > 0 ? mien_buf_printf(out, "  %.*s\n", (int)n, text)
                    : mien_buf_printf(out, "  and\n");
    }
    return rc < 0 ? MIEN_ERR_MEM : 0;
}
