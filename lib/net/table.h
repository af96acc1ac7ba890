/* What a network is made of and what it costs, as text. */
#ifndef MIEN_NET_TABLE_H
#define MIEN_NET_TABLE_H

#include "net.h"

/* Appends a table for people: a line a layer with its name, type, output, parameters,
   multiply-adds and bytes of its output for one image, then a line of totals. Returns 0 or
   MIEN_ERR_MEM. */
int net_table(const struct net *net, struct mien_buf *out);

/* The same as tab-separated values under a header, without totals. */
int net_table_tsv(const struct net *net, struct mien_buf *out);

/* Writes bytes in the unit that suits them, such as "2.5 KiB". Returns text. */
enum { NET_BYTES_TEXT = 32 };
const char *net_bytes(double bytes, char text[NET_BYTES_TEXT]);

#endif
