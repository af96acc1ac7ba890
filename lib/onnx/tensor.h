/* A TensorProto as it is in the file, and where its bytes are: for tensor.c, data.c and
   file.c. */
#ifndef MIEN_ONNX_TENSOR_H
#define MIEN_ONNX_TENSOR_H

#include "file.h"

struct onnx_proto {
    struct constant shape; /* rank and dim */
    int type;              /* of TensorProto.DataType; 0: not known */
    struct span name, raw, location;
    bool has_raw, external;
    uint64_t offset, length; /* in the file of that location */
    bool has_length;
    struct onnx_data *data; /* that file, once located */
};

/* Reads the fields. Returns 0 or MIEN_ERR_FORMAT. */
MIEN_CHECKED int onnx_proto_read(struct span message, struct onnx_proto *p, struct mien_err *e);

/* Maps the file that an external tensor lies in, a file in the folder of f's, and points p->raw
   into it: p->length bytes, or all that follow. Returns 0 or a negative code. */
MIEN_CHECKED int onnx_data_locate(struct onnx_file *f, struct onnx_proto *p, struct mien_err *e);

/* Counts bytes that a tensor takes of the file. Returns 0 or MIEN_ERR_LIMIT. */
MIEN_CHECKED int onnx_data_take(struct onnx_data *d, size_t bytes, struct mien_err *e);

#endif
