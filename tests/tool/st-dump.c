/*
 * st-dump FILE: lists a safetensors file, one line an entry of its header, in the header's order:
 * "NAME DTYPE D1,D2,... BEGIN END" for a tensor and "@KEY VALUE" for metadata, VALUE as escaped
 * in the header.
 * st-dump FILE NAME: writes the bytes of a tensor to standard output.
 *
 * A reader that shares no code with lib/tensor, written from the format's description for the
 * tests; it trusts its input, and knows no JSON beyond what such a header has.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *s; /* what is left of the header */

static void die(const char *why)
{
    fprintf(stderr, "st-dump: %s at '%.20s'\n", why, s ? s : "");
    exit(2);
}

/* Goes past c and the spaces around it; 0 when something else stands there. */
static int take(char c)
{
    s += strspn(s, " \t\r\n");
    if (*s != c)
        return 0;
    s++;
    s += strspn(s, " \t\r\n");
    return 1;
}

static void need(char c)
{
    if (!take(c))
        die("unexpected text");
}

/* A string, cut out in place and left as escaped. */
static char *string(void)
{
    need('"');
    char *begin = s;
    while (*s && *s != '"')
        s += *s == '\\' ? 2 : 1;
    if (!*s)
        die("endless string");
    *s++ = '\0';
    return begin;
}

/* An array of whole numbers. */
static int numbers(unsigned long long *v, int max)
{
    int n = 0;
    need('[');
    while (!take(']')) {
        if (n == max)
            die("too many numbers");
        v[n++] = strtoull(s, &s, 10);
        take(',');
    }
    return n;
}

int main(int argc, char **argv)
{
    FILE *f = argc == 2 || argc == 3 ? fopen(argv[1], "rb") : NULL;
    unsigned char len[8];
    unsigned long long hlen = 0;
    if (!f || fread(len, 1, 8, f) != 8)
        die("cannot read the file");
    for (int i = 7; i >= 0; i--)
        hlen = hlen << 8 | len[i];
    char *text = hlen < 1 << 28 ? malloc(hlen + 1) : NULL;
    if (!text || fread(text, 1, hlen, f) != hlen)
        die("cannot read the header");
    text[hlen] = '\0';
    s = text;
    need('{');
    while (!take('}')) {
        const char *name = string();
        need(':');
        need('{');
        if (strcmp(name, "__metadata__") == 0) {
            while (!take('}')) {
                const char *key = string();
                need(':');
                const char *value = string();
                if (argc == 2)
                    printf("@%s %s\n", key, value);
                take(',');
            }
            take(',');
            continue;
        }
        const char *dtype = "?";
        unsigned long long shape[8], range[2] = {0};
        int ndim = 0;
        while (!take('}')) {
            const char *key = string();
            need(':');
            if (strcmp(key, "dtype") == 0)
                dtype = string();
            else if (strcmp(key, "shape") == 0)
                ndim = numbers(shape, 8);
            else if (strcmp(key, "data_offsets") != 0 || numbers(range, 2) != 2)
                die("unexpected key");
            take(',');
        }
        take(',');
        if (argc == 2) {
            printf("%s %s ", name, dtype);
            for (int i = 0; i < ndim; i++)
                printf("%s%llu", i ? "," : "", shape[i]);
            printf(" %llu %llu\n", range[0], range[1]);
        } else if (strcmp(name, argv[2]) == 0) {
            fseek(f, (long)(8 + hlen + range[0]), SEEK_SET);
            for (unsigned long long i = range[0]; i < range[1]; i++)
                putchar(getc(f));
            return 0;
        }
    }
    return argc == 2 ? 0 : 1;
}
