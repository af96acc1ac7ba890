/* Reading packs: tensors to records. */
#include "mien/pack.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pack_format.h"
#include "record/encoding.h"
#include "record/label.h"

const struct pack_kind pack_kinds[] = {
    [MIEN_PACK_PIXELS] = {"pixels", MIEN_TAG_PIXELS},
    [MIEN_PACK_IMAGE] = {"image", MIEN_TAG_IMAGE},
    [MIEN_PACK_FEATURES] = {"features", MIEN_TAG_FEATURES},
};

const char *mien_pack_kind_name(enum mien_pack_kind kind)
{
    return pack_kinds[kind].name;
}

const struct pack_column_type pack_columns[] = {
    [PACK_DATA] = {"", MIEN_ST_U8},
    [PACK_IMAGE_OFFSETS] = {"image_offsets", MIEN_ST_U64},
    [PACK_ID_OFFSETS] = {"id_offsets", MIEN_ST_U64},
    [PACK_SUBJECT_OFFSETS] = {"subject_offsets", MIEN_ST_U64},
    [PACK_RECORD_OFFSETS] = {"record_offsets", MIEN_ST_U64},
    [PACK_RECORD] = {"record", MIEN_ST_U8},
    [PACK_RECORD_FIELDS] = {"record_fields", MIEN_ST_I32},
    [PACK_ID] = {"id", MIEN_ST_U8},
    [PACK_SUBJECT] = {"subject", MIEN_ST_U8},
    [PACK_AGE] = {"age", MIEN_ST_U8},
    [PACK_GENDER] = {"gender", MIEN_ST_U8},
    [PACK_AGE_BAND] = {"age_band", MIEN_ST_U8},
};

bool pack_valid_age(int age)
{
    return age >= 0 && age <= MIEN_AGE_MAX;
}

bool pack_valid_band(const uint8_t *band)
{
    return pack_valid_age(band[1]) && band[0] <= band[1];
}

/* Bytes of all records one after another: record i has those from offset[i] to offset[i + 1]. */
struct byte_rows {
    const unsigned char *bytes;
    const uint64_t *offset; /* n + 1; NULL when the pack has no such tensor */
};

struct mien_pack_file {
    struct mien_safetensors *st;
    const void *data; /* of the large tensor */
    struct byte_rows image, id, subject, record;
    const int32_t *fields; /* of each record */
    struct joined *joined; /* of several packs, in place of all above; or NULL */
};

/* Packs that are opened as one. */
struct joined {
    size_t n;
    struct mien_pack *part;
    size_t *first;   /* record of each of them, counted over all */
    uint8_t *labels; /* age, gender and band of all records */
};

/* The pack that record i is in, and i within it. */
static const struct mien_pack *part_of(const struct mien_pack *p, size_t *i)
{
    const struct joined *j = p->file->joined;
    if (j == NULL)
        return p;
    size_t lo = 0, hi = j->n;
    while (hi - lo > 1) {
        size_t mid = (lo + hi) / 2;
        if (j->first[mid] <= *i)
            lo = mid;
        else
            hi = mid;
    }
    *i -= j->first[lo];
    return &j->part[lo];
}

/* A tensor of this type whose shape is [n] or, with width, [n, width]; NULL when it isn't so. */
static const void *get(const struct mien_pack *p, enum pack_column c, size_t n, size_t width)
{
    const struct mien_tensor *t = mien_st_find(p->file->st, pack_columns[c].name);
    bool right = t && t->dtype == pack_columns[c].dtype && t->ndim == (width ? 2 : 1) &&
                 t->shape[0] == n && (!width || t->shape[1] == width);
    return right ? t->data : NULL;
}

/* Bytes and their offsets, which must rise from 0 to the number of bytes in multiples of align. */
static bool get_bytes(const struct mien_pack *p, const char *name, enum pack_column offsets,
                      size_t align, struct byte_rows *out)
{
    const struct mien_tensor *t = mien_st_find(p->file->st, name);
    const uint64_t *offset = get(p, offsets, p->n + 1, 0);
    if (!t || t->dtype != MIEN_ST_U8 || t->ndim != 1 || !offset || offset[0] != 0 ||
        offset[p->n] != t->bytes || (uintptr_t)t->data % align != 0)
        return false;
    for (size_t i = 0; i < p->n; i++)
        if (offset[i] > offset[i + 1] || offset[i] % align != 0)
            return false;
    *out = (struct byte_rows){t->data, offset};
    return true;
}

/* The same where both tensors may be absent. */
static bool get_optional(const struct mien_pack *p, const char *name, enum pack_column offsets,
                         size_t align, struct byte_rows *out)
{
    return (!mien_st_find(p->file->st, name) &&
            !mien_st_find(p->file->st, pack_columns[offsets].name)) ||
           get_bytes(p, name, offsets, align, out);
}

/* Finds the large tensor: kind, number of records and shape. */
static bool open_data(struct mien_pack *p)
{
    const struct mien_tensor *t;
    p->kind = MIEN_PACK_PIXELS;
    while (p->kind <= MIEN_PACK_FEATURES &&
           !(t = mien_st_find(p->file->st, pack_kinds[p->kind].name)))
        p->kind++;
    if (p->kind > MIEN_PACK_FEATURES)
        return false;
    p->file->data = t->data;
    p->n = t->ndim > 0 ? t->shape[0] : 0;
    switch (p->kind) {
    case MIEN_PACK_PIXELS:
        if (t->dtype != MIEN_ST_U8 || t->ndim != 4 || t->shape[1] - 1 >= UINT16_MAX ||
            t->shape[2] - 1 >= UINT16_MAX || t->shape[3] != 3)
            return false;
        p->height = (int)t->shape[1];
        p->width = (int)t->shape[2];
        break;
    case MIEN_PACK_FEATURES:
        if (t->dtype != MIEN_ST_F32 || t->ndim != 2 || t->shape[1] - 1 >= INT_MAX / sizeof(float))
            return false;
        p->dim = (int)t->shape[1];
        break;
    default:
        t = mien_st_find(p->file->st, pack_columns[PACK_IMAGE_OFFSETS].name);
        p->n = t && t->count > 0 ? t->count - 1 : 0;
        return p->n > 0 &&
               get_bytes(p, pack_kinds[p->kind].name, PACK_IMAGE_OFFSETS, 1, &p->file->image);
    }
    return p->n > 0;
}

static bool open_labels(struct mien_pack *p)
{
    p->age = get(p, PACK_AGE, p->n, 0);
    p->gender = get(p, PACK_GENDER, p->n, 0);
    p->band = get(p, PACK_AGE_BAND, p->n, 2);
    if (!p->age || !p->gender ||
        (!p->band && mien_st_find(p->file->st, pack_columns[PACK_AGE_BAND].name)))
        return false;
    for (size_t i = 0; i < p->n; i++) {
        const uint8_t *band = p->band ? p->band + 2 * i : NULL;
        if ((!pack_valid_age(p->age[i]) && p->age[i] != MIEN_PACK_UNKNOWN) ||
            (p->gender[i] > 1 && p->gender[i] != MIEN_PACK_UNKNOWN) ||
            (band && !pack_valid_band(band) &&
             (band[0] != MIEN_PACK_UNKNOWN || band[1] != MIEN_PACK_UNKNOWN)))
            return false;
    }
    return true;
}

static int check_pack(struct mien_pack *p, const char *path, struct mien_err *e)
{
    const struct mien_safetensors *st = p->file->st;
    const char *format = mien_st_meta(st, "format"), *version = mien_st_meta(st, "version");
    const char *prep = mien_st_meta(st, "prep"), *wrong = NULL;
    if (!format || strcmp(format, PACK_FORMAT) != 0)
        return mien_err_set(e, MIEN_ERR_FORMAT, "'%s' is a safetensors file, but not a pack", path);
    if (!version || strcmp(version, PACK_VERSION) != 0)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "'%s' is a pack of version %s, this program reads %s", path,
                            version ? version : "?", PACK_VERSION);
    struct mien_err cause;
    if (mien_prep_parse(&p->prep, prep ? prep : "", prep ? strlen(prep) : 0, &cause) < 0)
        return mien_err_set(e, MIEN_ERR_FORMAT, "'%s': %s", path, cause.msg);
    if (!open_data(p))
        wrong = "pixels, images or features";
    else if (!open_labels(p))
        wrong = "ages and genders";
    else if (!get_optional(p, pack_columns[PACK_ID].name, PACK_ID_OFFSETS, 1, &p->file->id))
        wrong = "ids";
    else if (!get_optional(p, pack_columns[PACK_SUBJECT].name, PACK_SUBJECT_OFFSETS, 1,
                           &p->file->subject))
        wrong = "subjects";
    else if (!get_optional(p, pack_columns[PACK_RECORD].name, PACK_RECORD_OFFSETS, 8,
                           &p->file->record))
        wrong = "records";
    else if (p->file->record.offset && !(p->file->fields = get(p, PACK_RECORD_FIELDS, p->n, 0)))
        wrong = "numbers of fields";
    if (wrong)
        return mien_err_set(e, MIEN_ERR_FORMAT, "'%s': the pack's %s are absent or damaged", path,
                            wrong);
    return 0;
}

int mien_pack_open(struct mien_pack *p, const char *path, struct mien_err *e)
{
    *p = (struct mien_pack){.file = calloc(1, sizeof *p->file)};
    if (!p->file)
        return mien_err_mem(e, sizeof *p->file, "a pack");
    p->file->st = mien_st_open(path, e);
    int rc = p->file->st ? check_pack(p, path, e) : MIEN_ERR_FORMAT;
    if (rc < 0)
        mien_pack_close(p);
    return rc;
}

static bool is_whole(const struct mien_prep *p)
{
    char crop[16];
    return mien_prep_get(p, "crop", crop, sizeof crop) != NULL && strcmp(crop, "whole") == 0;
}

/* Pixels of whole images were framed elsewhere: they go with crops of any margin. */
static bool preps_alike(const struct mien_prep *a, const struct mien_prep *b)
{
    struct mien_err unused;
    return strcmp(a->text, b->text) == 0 ||
           ((is_whole(a) || is_whole(b)) && mien_prep_check(a, b, &unused) == 0 &&
            mien_prep_check(b, a, &unused) == 0);
}

/* Whether pack `path` can be joined to the first one. */
static int check_alike(const struct mien_pack *p, const char *path, const struct mien_pack *first,
                       const char *first_path, struct mien_err *e)
{
    const char *kind = mien_pack_kind_name(p->kind);
    if (p->kind != first->kind)
        return mien_err_set(e, MIEN_ERR_FORMAT, "'%s' holds %s, '%s' %s", path, kind, first_path,
                            mien_pack_kind_name(first->kind));
    if (p->height != first->height || p->width != first->width)
        return mien_err_set(e, MIEN_ERR_FORMAT, "'%s' holds pixels of %dx%d, '%s' of %dx%d", path,
                            p->height, p->width, first_path, first->height, first->width);
    if (p->dim != first->dim)
        return mien_err_set(e, MIEN_ERR_FORMAT, "'%s' holds %d features a record, '%s' %d", path,
                            p->dim, first_path, first->dim);
    if (!preps_alike(&p->prep, &first->prep))
        return mien_err_set(e, MIEN_ERR_FORMAT, "'%s' was made with '%s', '%s' with '%s'", path,
                            p->prep.text, first_path, first->prep.text);
    return 0;
}

/* Opens all parts, and counts their records. The first one of crops, where there is one, tells the
   preprocessing. */
static int open_parts(struct mien_pack *p, struct joined *j, const char *const *path,
                      struct mien_err *e)
{
    size_t tells = 0;
    for (size_t k = 0; k < j->n; k++) {
        int rc = mien_pack_open(&j->part[k], path[k], e);
        if (rc == 0)
            rc = check_alike(&j->part[k], path[k], &j->part[tells], path[tells], e);
        if (rc < 0)
            return rc;
        if (is_whole(&j->part[tells].prep))
            tells = k;
        j->first[k] = p->n;
        p->n += j->part[k].n;
    }
    p->prep = j->part[tells].prep;
    return 0;
}

/* Copies the labels of all parts one after another. */
static int join_labels(struct mien_pack *p, struct joined *j, struct mien_err *e)
{
    bool bands = false;
    for (size_t k = 0; k < j->n; k++)
        bands = bands || j->part[k].band != NULL;
    j->labels = malloc(4 * p->n);
    if (j->labels == NULL)
        return mien_err_mem(e, 4 * p->n, "labels");
    uint8_t *age = j->labels, *gender = age + p->n, *band = gender + p->n;
    memset(band, MIEN_PACK_UNKNOWN, 2 * p->n);
    for (size_t k = 0; k < j->n; k++) {
        const struct mien_pack *part = &j->part[k];
        memcpy(age + j->first[k], part->age, part->n);
        memcpy(gender + j->first[k], part->gender, part->n);
        if (part->band != NULL)
            memcpy(band + 2 * j->first[k], part->band, 2 * part->n);
    }
    p->age = age;
    p->gender = gender;
    p->band = bands ? band : NULL;
    return 0;
}

/* Opens n packs as parts of p, whose file is there. */
static int join(struct mien_pack *p, const char *const *path, size_t n, struct mien_err *e)
{
    struct joined *j = calloc(1, sizeof *j);
    p->file->joined = j;
    if (j == NULL)
        return mien_err_mem(e, sizeof *j, "packs");
    j->part = calloc(n, sizeof *j->part);
    j->first = calloc(n, sizeof *j->first);
    if (j->part == NULL || j->first == NULL)
        return mien_err_mem(e, n * sizeof *j->part, "packs");
    j->n = n;
    int rc = open_parts(p, j, path, e);
    if (rc < 0 || (rc = join_labels(p, j, e)) < 0)
        return rc;
    p->kind = j->part[0].kind;
    p->height = j->part[0].height;
    p->width = j->part[0].width;
    p->dim = j->part[0].dim;
    return 0;
}

int mien_pack_open_all(struct mien_pack *p, const char *const *path, size_t n, size_t *records,
                       struct mien_err *e)
{
    int rc;
    if (n == 1) {
        rc = mien_pack_open(p, path[0], e);
    } else {
        *p = (struct mien_pack){.file = calloc(1, sizeof *p->file)};
        if (!p->file)
            return mien_err_mem(e, sizeof *p->file, "a pack");
        rc = join(p, path, n, e);
        if (rc < 0)
            mien_pack_close(p);
    }
    for (size_t k = 0; rc == 0 && records != NULL && k < n; k++)
        records[k] = n == 1 ? p->n : p->file->joined->part[k].n;
    return rc;
}

const char *pack_meta(const struct mien_pack *p, const char *key)
{
    return mien_st_meta(p->file->st, key);
}

void mien_pack_close(struct mien_pack *p)
{
    struct joined *j = p->file ? p->file->joined : NULL;
    for (size_t k = 0; j != NULL && k < j->n; k++)
        mien_pack_close(&j->part[k]);
    if (j != NULL) {
        free(j->part);
        free(j->first);
        free(j->labels);
        free(j);
    }
    if (p->file)
        mien_st_close(p->file->st);
    free(p->file);
    *p = (struct mien_pack){0};
}

const unsigned char *mien_pack_pixels(const struct mien_pack *p, size_t i)
{
    p = part_of(p, &i);
    return (const unsigned char *)p->file->data + i * (size_t)p->height * (size_t)p->width * 3;
}

const float *mien_pack_features(const struct mien_pack *p, size_t i)
{
    p = part_of(p, &i);
    return (const float *)p->file->data + i * (size_t)p->dim;
}

static const unsigned char *bytes_at(const struct byte_rows *b, size_t i, size_t *len)
{
    *len = b->offset ? (size_t)(b->offset[i + 1] - b->offset[i]) : 0;
    return b->offset ? b->bytes + b->offset[i] : (const unsigned char *)"";
}

const unsigned char *mien_pack_image(const struct mien_pack *p, size_t i, size_t *len)
{
    p = part_of(p, &i);
    return bytes_at(&p->file->image, i, len);
}

const char *mien_pack_id(const struct mien_pack *p, size_t i, size_t *len)
{
    p = part_of(p, &i);
    return (const char *)bytes_at(&p->file->id, i, len);
}

const char *mien_pack_subject(const struct mien_pack *p, size_t i, size_t *len)
{
    p = part_of(p, &i);
    return (const char *)bytes_at(&p->file->subject, i, len);
}

/* Record i's part of the large tensor. */
static const void *data_at(const struct mien_pack *p, size_t i, size_t *len)
{
    p = part_of(p, &i);
    if (p->kind == MIEN_PACK_IMAGE)
        return mien_pack_image(p, i, len);
    *len = p->kind == MIEN_PACK_PIXELS ? (size_t)p->height * (size_t)p->width * 3
                                       : (size_t)p->dim * sizeof(float);
    return (const unsigned char *)p->file->data + i * *len;
}

void mien_pack_will_need(const struct mien_pack *p, const uint32_t *index, size_t n)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (size_t k = 0; k < n; k++) {
        size_t len;
        uintptr_t at = (uintptr_t)data_at(p, index[k], &len), start = at - at % page;
        posix_madvise((void *)start, at + len - start, POSIX_MADV_WILLNEED);
    }
}

/* A field for len bytes of a record's data, with the shape that the pack's kind gives it. NULL
   without memory, and for more bytes than a field holds. */
static void *alloc_data(const struct mien_pack *p, struct mien_rec *r, size_t len)
{
    const uint32_t pixels[] = {(uint32_t)p->height, (uint32_t)p->width, 3};
    const uint32_t features[] = {(uint32_t)p->dim}, image[] = {(uint32_t)len};
    if (p->kind == MIEN_PACK_PIXELS)
        return mien_rec_alloc(r, MIEN_TAG_PIXELS, MIEN_U8, 3, pixels);
    if (p->kind == MIEN_PACK_FEATURES)
        return mien_rec_alloc(r, MIEN_TAG_FEATURES, MIEN_F32, 1, features);
    return len > UINT32_MAX ? NULL : mien_rec_alloc(r, MIEN_TAG_IMAGE, MIEN_U8, 1, image);
}

/* Record i of a pack without records: the fields that its tensors have. */
static int record_of_tensors(const struct mien_pack *p, size_t i, struct mien_rec *r,
                             struct mien_err *e)
{
    size_t len;
    const char *text = mien_pack_id(p, i, &len);
    int rc = len > 0 ? mien_rec_set_text(r, MIEN_TAG_ID, text, len) : 0;
    text = mien_pack_subject(p, i, &len);
    if (len > 0)
        rc |= mien_rec_set_text(r, MIEN_TAG_SUBJECT, text, len);
    if (p->age[i] != MIEN_PACK_UNKNOWN)
        rc |= mien_rec_set_u8(r, MIEN_TAG_AGE, p->age[i]);
    if (p->gender[i] != MIEN_PACK_UNKNOWN)
        rc |= mien_rec_set_u8(r, MIEN_TAG_GENDER, p->gender[i]);
    if (p->band != NULL && p->band[2 * i] != MIEN_PACK_UNKNOWN)
        rc |= rec_set_age_band(r, p->band[2 * i], p->band[2 * i + 1]);
    if (p->prep.text[0] != '\0')
        rc |= mien_rec_set_str(r, MIEN_TAG_PREP, p->prep.text);
    const void *data = data_at(p, i, &len);
    void *copy = alloc_data(p, r, len);
    if (rc != 0 || copy == NULL)
        return mien_err_mem(e, len, "a record");
    memcpy(copy, data, len);
    return 0;
}

int mien_pack_record(const struct mien_pack *p, size_t i, struct mien_rec *r, struct mien_err *e)
{
    size_t len, blen;
    p = part_of(p, &i);
    const void *data = data_at(p, i, &len);
    if (!p->file->record.offset) {
        mien_rec_clear(r);
        return record_of_tensors(p, i, r, e);
    }
    const unsigned char *body = bytes_at(&p->file->record, i, &blen);
    mien_rec_clear(r);
    if (p->file->fields[i] < 0)
        return mien_err_set(e, MIEN_ERR_FORMAT, "a record of %d fields", p->file->fields[i]);
    return rec_decode_skipped(r, body, blen, (unsigned)p->file->fields[i], pack_kinds[p->kind].tag,
                              data, len, e);
}
