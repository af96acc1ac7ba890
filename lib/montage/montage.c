#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* The cell that is being gathered: a photograph's goes on with each face that follows in it. */
struct cell {
    bool open;
    bool photo; /* can go on */
    bool has_picture;
    bool alone; /* the photograph's only face */
    struct mien_buf id;
    size_t photo_id;     /* the part of the id that the photograph's faces share */
    struct mien_buf why; /* there is no picture */
    struct caption *face;
    size_t n;
};

struct montage {
    struct montage_options o;
    struct montage_counts counts;
    struct sheet sheet;
    struct picture picture;
    struct sheet_text text; /* a caption, or the legend */
    struct legend legend;   /* of the page */
    struct cell cell;
};

struct montage *montage_new(const struct montage_options *o, struct mien_err *e)
{
    struct montage *m = calloc(1, sizeof *m);
    struct caption *face = calloc(FACES_MAX, sizeof *face);
    if (m == NULL || face == NULL) {
        free(m);
        free(face);
        mien_err_mem(e, sizeof *m + FACES_MAX * sizeof *face, "a montage");
        return NULL;
    }
    m->o = *o;
    m->cell.face = face;
    m->sheet.columns = o->columns;
    m->sheet.rows = o->rows;
    m->sheet.size = o->size;
    if (sheet_start(&m->sheet, e) < 0 || picture_start(&m->picture, e) < 0) {
        montage_free(m);
        return NULL;
    }
    return m;
}

void montage_free(struct montage *m)
{
    if (m == NULL)
        return;
    sheet_free(&m->sheet);
    picture_free(&m->picture);
    sheet_text_free(&m->text);
    mien_buf_free(&m->cell.id);
    mien_buf_free(&m->cell.why);
    free(m->cell.face);
    free(m);
}

const struct montage_counts *montage_counts(const struct montage *m)
{
    return &m->counts;
}

static int end_page(struct montage *m, bool last, struct mien_err *e)
{
    const unsigned char *px;
    struct mien_size size;
    sheet_text_clear(&m->text);
    if (legend_say(&m->text, &m->legend, m->o.tolerance) < 0)
        return mien_err_mem(e, m->text.chars.len, "a legend");
    int rc = sheet_page(&m->sheet, &m->text, &px, &size, e);
    if (rc == 0)
        rc = m->o.page(m->o.ctx, px, size, last, e);
    sheet_next(&m->sheet);
    m->legend = (struct legend){0};
    m->counts.pages++;
    return rc;
}

/* --- Cells --------------------------------------------------------------------------------- */

static int write_caption(struct montage *m)
{
    const struct cell *c = &m->cell;
    struct sheet_text *t = &m->text;
    sheet_text_clear(t);
    int rc = 0;
    if (c->id.len > 0)
        rc = caption_say_id(t, (const char *)c->id.data,
                            c->n > 1 || c->alone ? c->photo_id : c->id.len);
    rc |= caption_say_words(t, SHEET_WRONG, true, (const char *)c->why.data, c->why.len);
    for (size_t i = 0; i < c->n; i++)
        rc |= caption_say(t, &c->face[i], c->n > 1);
    return rc;
}

/* Puts the cell that is open, if any, onto the sheet. */
static int close_cell(struct montage *m, struct mien_err *e)
{
    struct cell *c = &m->cell;
    if (!c->open)
        return 0;
    c->open = false;
    int rc = 0;
    bool wrong = !c->has_picture;
    for (size_t i = 0; i < c->n; i++)
        wrong |= caption_wrong(&c->face[i]);
    if (c->has_picture && c->photo)
        rc = picture_mark(&m->picture, c->face, c->n, m->sheet.scale, e);
    if (rc == 0 && sheet_full(&m->sheet))
        rc = end_page(m, false, e);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < c->n; i++)
        legend_see(&m->legend, &c->face[i], c->has_picture && c->photo);
    if (write_caption(m) < 0)
        return mien_err_mem(e, c->id.len, "a caption");
    m->counts.cells++;
    return sheet_add(&m->sheet, c->has_picture ? &m->picture.im : NULL, &m->text, wrong, e);
}

/* Opens a cell with a record's id and picture. */
static int open_cell(struct montage *m, const struct mien_rec *r, bool *bad, struct mien_err *e)
{
    struct cell *c = &m->cell;
    size_t len = 0, why_len = 0;
    const char *id = mien_rec_text(r, MIEN_TAG_ID, &len),
               *why = mien_rec_text(r, MIEN_TAG_ERROR, &why_len);
    int rc = why == NULL ? picture_of(&m->picture, r, m->o.size, e) : 0;
    if (rc == MIEN_ERR_MEM)
        return rc;
    if (rc < 0) {
        *bad = true;
        why = e->msg;
        why_len = strlen(why);
    }
    c->open = true;
    c->has_picture = why == NULL;
    c->photo = mien_rec_has(r, MIEN_TAG_IMAGE);
    int faces;
    c->alone = mien_rec_int(r, MIEN_TAG_FACES, &faces) && faces == 1;
    c->n = 0;
    mien_buf_clear(&c->id);
    mien_buf_clear(&c->why);
    c->photo_id = id == NULL ? 0 : caption_photo_id(id, len);
    if (mien_buf_append(&c->id, id, len) < 0 || mien_buf_append(&c->why, why, why_len) < 0)
        return mien_err_mem(e, len + why_len, "a caption");
    return 0;
}

/* Whether a record is of a further face in the photograph of the cell that is open. Two archives
   may have photographs of one name: with face 1 another one begins. */
static bool goes_on(const struct cell *c, const struct mien_rec *r)
{
    size_t len;
    const char *id = mien_rec_text(r, MIEN_TAG_ID, &len);
    if (!c->open || !c->photo || !c->has_picture || c->n == FACES_MAX || id == NULL ||
        !mien_rec_has(r, MIEN_TAG_IMAGE) || mien_rec_has(r, MIEN_TAG_ERROR))
        return false;
    size_t photo = caption_photo_id(id, len);
    bool first = len - photo == 2 && id[photo + 1] == '1';
    return photo < len && !first && c->photo_id < c->id.len && photo == c->photo_id &&
           memcmp(id, c->id.data, photo) == 0;
}

int montage_add(struct montage *m, const struct mien_rec *r, bool *bad, struct mien_err *e)
{
    struct cell *c = &m->cell;
    *bad = false;
    if (!goes_on(c, r)) {
        int rc = close_cell(m, e);
        if (rc < 0 || (rc = open_cell(m, r, bad, e)) < 0)
            return rc;
    }
    struct caption *f = &c->face[c->n++];
    caption_of(f, r, m->o.tolerance);
    m->counts.faces++;
    m->counts.judged += f->judged;
    m->counts.wrong += caption_wrong(f);
    return 0;
}

int montage_end(struct montage *m, struct mien_err *e)
{
    int rc = close_cell(m, e);
    return rc < 0 || m->counts.cells == 0 ? rc : end_page(m, true, e);
}
