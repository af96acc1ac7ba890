/*
 * Decoding HEIC and AVIF over libheif, which is loaded when the first such image is met: with all of
 * its codecs, of which a decoder needs one, it takes longer to load than a small job takes in all.
 * An image is decoded as a whole. libheif turns it upright itself.
 */
#include "format.h"

#ifdef MIEN_HEIF

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <libheif/heif.h>

#include "rows.h"

#define LIBRARY "libheif.so.1"
#define WORK    ((size_t)64 << 20) /* more than loading it takes, or decoding, besides the pixels */

#if LIBHEIF_HAVE_VERSION(1, 13, 0)
#define THREADS(X) X(context_set_max_decoding_threads)
#else
#define THREADS(X)
#endif

/* What is called of it. */
#define FUNCTIONS(X)                                                                               \
    X(context_alloc)                                                                               \
    X(context_free)                                                                                \
    THREADS(X)                                                                                     \
    X(context_read_from_memory_without_copy)                                                       \
    X(context_get_primary_image_handle)                                                            \
    X(image_handle_release)                                                                        \
    X(image_handle_get_width)                                                                      \
    X(image_handle_get_height)                                                                     \
    X(image_handle_has_alpha_channel)                                                              \
    X(decode_image)                                                                                \
    X(image_release)                                                                               \
    X(image_get_width)                                                                             \
    X(image_get_height)                                                                            \
    X(image_get_plane_readonly)

struct heif {
    bool loaded;
#define MEMBER(name) __typeof__(&heif_##name) name;
    FUNCTIONS(MEMBER)
    struct heif_context *context;
    struct heif_image_handle *handle;
    struct img_rows rows;
    unsigned char *line;
    size_t cap;
};

static void *new_heif(struct mien_err *e)
{
    struct heif *j = calloc(1, sizeof *j);
    if (j == NULL)
        mien_err_mem(e, sizeof *j, "a decoder");
    return j;
}

static void let_go(struct heif *j)
{
    if (j->handle != NULL)
        j->image_handle_release(j->handle);
    if (j->context != NULL)
        j->context_free(j->context);
    j->handle = NULL;
    j->context = NULL;
}

/* The library stays: not all of its codecs bear being unloaded. */
static void free_heif(void *state)
{
    struct heif *j = state;
    if (j == NULL)
        return;
    let_go(j);
    img_rows_free(&j->rows);
    free(j->line);
    free(j);
}

/* Whether there is memory for what comes, told beforehand: libheif and its codecs end the program, or
   blame the image, where they are short of it. */
static int find_memory(size_t bytes, struct mien_err *e)
{
    void *p = malloc(bytes);
    if (p == NULL)
        return mien_err_mem(e, bytes, "decoding HEIC or AVIF");
    free(p);
    return 0;
}

static int load(struct heif *j, struct mien_err *e)
{
    if (j->loaded)
        return 0;
    int rc = find_memory(WORK, e);
    if (rc < 0)
        return rc;
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return mien_err_set(e, MIEN_ERR_FORMAT, "HEIC and AVIF need libheif: %s", dlerror());
#define LOAD(name)                                                                                 \
    if ((*(void **)&j->name = dlsym(library, "heif_" #name)) == NULL)                              \
        return mien_err_set(e, MIEN_ERR_FORMAT, "HEIC and AVIF need another libheif: %s",          \
                            dlerror());
    FUNCTIONS(LOAD)
    j->loaded = true;
    return 0;
}

static int failed(struct heif_error why, struct mien_err *e)
{
    /* What an image asks for may be more than libheif allows. */
    if (why.code == heif_error_Memory_allocation_error &&
        why.subcode != heif_suberror_Security_limit_exceeded)
        return mien_err_set(e, MIEN_ERR_MEM, "out of memory for an image");
    return mien_err_set(e, MIEN_ERR_FORMAT, "cannot decode HEIC or AVIF: %s", why.message);
}

static int open_heif(void *state, const void *bytes, size_t n, bool tolerant, struct img_info *info,
                     struct mien_err *e)
{
    struct heif *j = state;
    (void)tolerant; /* there is nothing between all and nothing */
    let_go(j);
    int rc = load(j, e);
    if (rc < 0)
        return rc;
    if ((j->context = j->context_alloc()) == NULL)
        return mien_err_mem(e, n, "an image");
#if LIBHEIF_HAVE_VERSION(1, 13, 0)
    j->context_set_max_decoding_threads(j->context, 0); /* this one decodes */
#endif
    struct heif_error why = j->context_read_from_memory_without_copy(j->context, bytes, n, NULL);
    if (why.code == heif_error_Ok)
        why = j->context_get_primary_image_handle(j->context, &j->handle);
    if (why.code != heif_error_Ok)
        return failed(why, e);
    *info = (struct img_info){j->image_handle_get_height(j->handle),
                              j->image_handle_get_width(j->handle), 1};
    if (info->h < 1 || info->w < 1)
        return mien_err_set(e, MIEN_ERR_FORMAT, "cannot decode HEIC or AVIF: no pixels");
    return 0;
}

/* Hands out the rows of a decoded image. */
static int put_rows(struct heif *j, const struct heif_image *image, bool alpha, struct mien_err *e)
{
    const struct img_rect *r = &j->rows.need;
    size_t channels = alpha ? 4 : 3, need = (size_t)r->w * 3;
    int stride = 0;
    const unsigned char *px = j->image_get_plane_readonly(image, heif_channel_interleaved, &stride);
    if (px == NULL || j->image_get_width(image, heif_channel_interleaved) < j->rows.w ||
        j->image_get_height(image, heif_channel_interleaved) < j->rows.h)
        return mien_err_set(e, MIEN_ERR_FORMAT, "damaged HEIC or AVIF: fewer pixels than it says");
    if (need > j->cap) {
        free(j->line);
        j->line = malloc(need);
        j->cap = j->line == NULL ? 0 : need;
        if (j->line == NULL)
            return mien_err_mem(e, need, "a row");
    }
    for (int y = r->y; y < r->y + r->h; y++) {
        const unsigned char *row = px + (size_t)y * (size_t)stride + (size_t)r->x * channels;
        if (alpha)
            img_over_white(row, (size_t)r->w, j->line);
        img_rows_put(&j->rows, y, alpha ? j->line : row);
    }
    return 0;
}

static int read_heif(void *state, int eighths, const struct img_part *part, size_t n,
                     struct mien_err *e)
{
    struct heif *j = state;
    struct heif_image *image = NULL;
    bool alpha = j->image_handle_has_alpha_channel(j->handle);
    int h = j->image_handle_get_height(j->handle), w = j->image_handle_get_width(j->handle);
    int rc = img_rows_start(&j->rows, h, w, eighths, part, n, e);
    if (rc < 0)
        return rc;
    /* Planes of 16 bits, and the four bytes of their pixels. */
    rc = find_memory(WORK + (size_t)h * (size_t)w * 10, e);
    if (rc < 0)
        return rc;
    struct heif_error why =
        j->decode_image(j->handle, &image, heif_colorspace_RGB,
                        alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, NULL);
    rc = why.code == heif_error_Ok ? put_rows(j, image, alpha, e) : failed(why, e);
    if (image != NULL)
        j->image_release(image);
    let_go(j);
    return rc;
}

const struct img_format img_heic = {"heic",    "HEIC",    new_heif, free_heif,
                                    open_heif, read_heif, NULL};
const struct img_format img_avif = {"avif",    "AVIF",    new_heif, free_heif,
                                    open_heif, read_heif, NULL};

#endif
