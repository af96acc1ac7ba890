#include "sample.h"

#include <stdio.h>
#include <string.h>

void sample_free(struct sample *s)
{
    mien_buf_free(&s->name);
    mien_buf_free(&s->image);
    for (int i = 0; i < SIDECARS; i++)
        mien_buf_free(&s->text[i]);
}

static bool is_text(const struct mien_buf *b, const char *s, size_t n)
{
    return b->len == n && memcmp(b->data, s, n) == 0;
}

bool sample_is_other(const struct sample *s, size_t source, const char *path, bool image)
{
    return source != s->source || !is_text(&s->name, path, sidecar_name(path)) ||
           (image && s->has_image && is_text(&s->image, path, strlen(path)));
}

static int set_text(struct mien_buf *b, const char *s, size_t n)
{
    mien_buf_clear(b);
    return mien_buf_append(b, s, n);
}

int sample_file(struct sample *s, size_t source, const char *path)
{
    s->source = source;
    return set_text(&s->name, path, sidecar_name(path));
}

int sample_image(struct sample *s, const char *path)
{
    s->has_image = true;
    return set_text(&s->image, path, strlen(path));
}

int sample_text(struct sample *s, enum sidecar kind, const void *text, size_t n)
{
    return mien_buf_append(&s->text[kind], text, n);
}

int sample_labels(struct sample *s, enum sidecar kind, struct mien_rec *r, struct mien_err *e)
{
    const struct mien_buf *b = &s->text[kind];
    const char *text = (const char *)b->data;
    if (b->len == 0)
        return 0;
    if (kind == SIDECAR_JSON)
        return sidecar_json(r, text, b->len, &s->rule->codes, e);
    if (s->rule->field[kind] != 0)
        return sidecar_text(r, s->rule->field[kind], text, b->len, &s->rule->codes, e);
    s->nleft++;
    return 0;
}

void sample_end(struct sample *s)
{
    bool labels = false;
    for (int i = SIDECAR_JSON; i < SIDECARS; i++) {
        labels |= s->text[i].len > 0;
        mien_buf_clear(&s->text[i]);
    }
    if (labels && !s->has_image && s->nalone++ == 0)
        snprintf(s->alone, sizeof s->alone, "%.*s", (int)s->name.len, (char *)s->name.data);
    s->has_image = false;
}
