/*
 * Models for PyTorch: a safetensors file, and a Python module beside it that defines the network and
 * loads it.
 *
 * The module has a class Network, an nn.Module whose layers have the names of the description where
 * these are Python's, else near ones; and a function load, which returns it with its weights. The
 * inputs are those of onnx.h, the outputs those of outgoing.h, a dictionary. The file's metadata are
 * the model's. Same model, same bytes.
 */
#ifndef MIEN_EXPORT_TORCH_H
#define MIEN_EXPORT_TORCH_H

#include "outgoing.h"

/* Writes the module to one descriptor and the weights to another. Returns 0, MIEN_ERR_MEM, or
   MIEN_ERR_SYS with errno set. */
MIEN_CHECKED int torch_write(const struct outgoing *o, int module, int weights, struct mien_err *e);

#endif
