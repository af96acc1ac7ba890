#include "sniff.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "text_in.h"
#include "util/utf8.h"

static const struct {
    const char *magic;
    size_t len;
    const char *what;
} binary[] = {
    {"PK\3\4", 4, "an Excel workbook or a zip archive, not a table: save the sheet as CSV"},
    {"\xd0\xcf\x11\xe0", 4, "an Excel workbook, not a table of text: save the sheet as CSV"},
    {"\x1f\x8b", 2, "compressed with gzip: read it through zcat"},
    {"BZh", 3, "compressed with bzip2: read it through bzcat"},
    {"\xfd"
     "7zXZ",
     5, "compressed with xz: read it through xzcat"},
    {"\x28\xb5\x2f\xfd", 4, "compressed with zstd: read it through zstdcat"},
    {"\xff\xfe\0\0", 4, "UTF-32: iconv -f UTF-32 -t UTF-8 makes a table of it"},
    {"\0\0\xfe\xff", 4, "UTF-32: iconv -f UTF-32 -t UTF-8 makes a table of it"},
    {"PAR1", 4, "a Parquet file, not a table of text: write it as CSV from pandas"},
    {"ARROW1", 6, "an Arrow file, not a table of text: write it as CSV from pandas"},
    {"\x93NUMPY", 6, "a NumPy array, not a table of text"},
    {"SQLite format 3", 15, "an SQLite database, not a table of text: export it with sqlite3 -csv"},
    {"\x80\4\x95", 3, "a Python pickle, not a table of text: write it as CSV from pandas"},
    {"\x80\3", 2, "a Python pickle, not a table of text: write it as CSV from pandas"},
    {"\x80\2", 2, "a Python pickle, not a table of text: write it as CSV from pandas"},
    {"%PDF", 4, "a PDF, not a table"},
    {"\xff\xd8\xff", 3, "a JPEG, not a table: mien-images reads images"},
    {"\x89PNG", 4, "a PNG image, not a table: mien-images reads images"},
    {"{\\rtf", 5, "rich text, not a table: save it as plain text"},
};

/* Texts, behind blanks and without regard to case. */
static const struct {
    const char *begin, *what;
} text[] = {
    {"version https://git-lfs.github.com/",
     "a Git LFS pointer, not the file itself: fetch it with git lfs pull"},
    {"<!doctype html", "an HTML page, not a table: most likely a download that failed"},
    {"<html", "an HTML page, not a table: most likely a download that failed"},
    {"<head", "an HTML page, not a table: most likely a download that failed"},
    {"<?xml", "XML, not a table: save it as CSV"},
    {"<table", "an HTML page, not a table of text: save it as CSV"},
};

const char *sniff_other(const void *head, size_t n)
{
    const char *s = head;
    for (size_t i = 0; i < sizeof binary / sizeof *binary; i++)
        if (n >= binary[i].len && !memcmp(s, binary[i].magic, binary[i].len))
            return binary[i].what;
    if (text_in_is_utf16(head, n))
        return NULL;
    if (memchr(head, 0, n))
        return "neither a MATLAB 5 file nor a text table";
    const size_t mark = utf8_mark(s, n);
    s += mark;
    n -= mark;
    while (n > 0 && isspace((unsigned char)*s)) {
        s++;
        n--;
    }
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        if (n >= strlen(text[i].begin) && !strncasecmp(s, text[i].begin, strlen(text[i].begin)))
            return text[i].what;
    return NULL;
}
