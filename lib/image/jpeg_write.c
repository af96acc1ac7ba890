/* Encoding over libjpeg-turbo, into a buffer that grows. */
#include <setjmp.h>
#include <stdio.h>
#include <jpeglib.h>

#include "jpeg.h"

struct writer {
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr errors;
    struct jpeg_destination_mgr dest;
    struct mien_buf *out;
    jmp_buf escape;
    char why[JMSG_LENGTH_MAX];
};

#define CHUNK 16384 /* bytes of room that the encoder always gets */

static void on_error(j_common_ptr c)
{
    struct writer *w = (struct writer *)c->client_data;
    c->err->format_message(c, w->why);
    longjmp(w->escape, 1);
}

static void on_message(j_common_ptr c, int level)
{
    (void)c;
    (void)level;
}

/* Gives the encoder the free part of the buffer. */
static void give_room(j_compress_ptr c)
{
    struct writer *w = (struct writer *)c->client_data;
    if (mien_buf_reserve(w->out, CHUNK) < 0) {
        snprintf(w->why, sizeof w->why, "out of memory");
        longjmp(w->escape, 1);
    }
    w->dest.next_output_byte = w->out->data + w->out->len;
    w->dest.free_in_buffer = w->out->cap - w->out->len;
}

static boolean on_full(j_compress_ptr c)
{
    struct writer *w = (struct writer *)c->client_data;
    w->out->len = w->out->cap;
    give_room(c);
    return TRUE;
}

static void on_end(j_compress_ptr c)
{
    struct writer *w = (struct writer *)c->client_data;
    w->out->len = w->out->cap - w->dest.free_in_buffer;
}

int img_jpeg_encode(const unsigned char *px, int h, int w, int quality, struct mien_buf *out,
                    struct mien_err *e)
{
    struct writer wr = {.out = out};
    size_t before = out->len;
    wr.c.err = jpeg_std_error(&wr.errors);
    wr.errors.error_exit = on_error;
    wr.errors.emit_message = on_message;
    wr.c.client_data = &wr;
    wr.dest.init_destination = give_room;
    wr.dest.empty_output_buffer = on_full;
    wr.dest.term_destination = on_end;
    if (setjmp(wr.escape) != 0) {
        jpeg_destroy_compress(&wr.c);
        out->len = before;
        return mien_err_set(
            e, h > JPEG_MAX_DIMENSION || w > JPEG_MAX_DIMENSION ? MIEN_ERR_LIMIT : MIEN_ERR_MEM,
            "cannot encode JPEG: %s", wr.why);
    }
    jpeg_create_compress(&wr.c);
    wr.c.dest = &wr.dest;
    wr.c.image_height = (JDIMENSION)h;
    wr.c.image_width = (JDIMENSION)w;
    wr.c.input_components = 3;
    wr.c.in_color_space = JCS_RGB;
    jpeg_set_defaults(&wr.c);
    jpeg_set_quality(&wr.c, quality, TRUE);
    jpeg_start_compress(&wr.c, TRUE);
    while (wr.c.next_scanline < wr.c.image_height) {
        /* libjpeg's rows aren't const, though it only reads them. */
        JSAMPROW row = (JSAMPROW)(px + (size_t)wr.c.next_scanline * (size_t)w * 3);
        jpeg_write_scanlines(&wr.c, &row, 1);
    }
    jpeg_finish_compress(&wr.c);
    jpeg_destroy_compress(&wr.c);
    return 0;
}
