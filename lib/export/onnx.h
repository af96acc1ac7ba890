/*
 * Models as ONNX files: opset 13, IR version 7, the number of images free (the dimension "N").
 *
 * The input is `input`, float [N, channels, height, width], or [N, n] for a model of features; or,
 * with preprocessing, `pixels`, uint8 [N, height, width, 3], RGB. The outputs are those of
 * outgoing.h. The metadata are a model's: prep, classes, made; `input`, how pixels become it; and
 * `features`, mien-embed's name for them. Same model, same bytes.
 */
#ifndef MIEN_EXPORT_ONNX_H
#define MIEN_EXPORT_ONNX_H

#include "outgoing.h"

/* Writes the file to a descriptor. Returns 0, MIEN_ERR_MEM, MIEN_ERR_SYS with errno set, or
   MIEN_ERR_LIMIT for a model of more than 2 GiB. */
MIEN_CHECKED int onnx_write(const struct outgoing *o, int fd, struct mien_err *e);

#endif
