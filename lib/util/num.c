#include "num.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int num_int(const char *s, long long lo, long long hi, long long *out, struct mien_err *e)
{
    char *end;
    errno = 0;
    long long v = strtoll(s, &end, 10);
    if (end == s || *end != '\0' || isspace((unsigned char)*s))
        return mien_err_set(e, MIEN_ERR_ARG, "'%s' is not a whole number", s);
    if (errno == ERANGE || v < lo || v > hi)
        return mien_err_set(e, MIEN_ERR_ARG, "'%s' is not within %lld..%lld", s, lo, hi);
    *out = v;
    return 0;
}

int num_u64(const char *s, uint64_t *out, struct mien_err *e)
{
    long long i;
    if (*s == '-') {
        int rc = num_int(s, INT64_MIN, -1, &i, e);
        if (rc == 0)
            *out = (uint64_t)i;
        return rc;
    }
    char *end;
    errno = 0;
    unsigned long long v = strtoull(s, &end, 10);
    if (!isdigit((unsigned char)*s) || *end != '\0')
        return mien_err_set(e, MIEN_ERR_ARG, "'%s' is not a whole number", s);
    if (errno == ERANGE || v > UINT64_MAX)
        return mien_err_set(e, MIEN_ERR_ARG, "'%s' has more than 64 bits", s);
    *out = v;
    return 0;
}

int num_real(const char *s, double lo, double hi, double *out, struct mien_err *e)
{
    char *end;
    double v = strtod(s, &end); /* no program sets a locale, so the point is a point */
    if (end == s || *end != '\0' || isspace((unsigned char)*s) || !isfinite(v))
        return mien_err_set(e, MIEN_ERR_ARG, "'%s' is not a number", s);
    if (v < lo || v > hi)
        return mien_err_set(e, MIEN_ERR_ARG, "'%s' is not within %g..%g", s, lo, hi);
    *out = v;
    return 0;
}

bool num_finite(const float *v, size_t n)
{
    bool finite = true;
    for (size_t i = 0; i < n; i++)
        finite = finite && isfinite(v[i]);
    return finite;
}

int num_size(const char *s, uint64_t hi, uint64_t *out, struct mien_err *e)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(s, &end, 10);
    if (!isdigit((unsigned char)*s))
        return mien_err_set(e, MIEN_ERR_ARG, "'%s' is not a size such as 500K, 64M or 2G", s);
    int shift = 0;
    switch (toupper((unsigned char)*end)) {
    case 'K':
        shift = 10;
        break;
    case 'M':
        shift = 20;
        break;
    case 'G':
        shift = 30;
        break;
    }
    if (end[shift != 0] != '\0')
        return mien_err_set(e, MIEN_ERR_ARG, "'%s' is not a size such as 500K, 64M or 2G", s);
    if (errno == ERANGE || v > hi >> shift)
        return mien_err_set(e, MIEN_ERR_ARG, "'%s' is more than %llu bytes", s,
                            (unsigned long long)hi);
    *out = (uint64_t)v << shift;
    return 0;
}

/* %g leaves out zeros at the end, and no two numbers of DBL_DIG or FLT_DIG digits are the same
   double or float: so fewer digits needn't be tried. */
void num_print(char text[NUM_TEXT], double v)
{
    for (int digits = DBL_DIG; digits <= DBL_DECIMAL_DIG; digits++) {
        snprintf(text, NUM_TEXT, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            return;
    }
}

void num_print_float(char text[NUM_TEXT], float v)
{
    for (int digits = FLT_DIG; digits <= FLT_DECIMAL_DIG; digits++) {
        snprintf(text, NUM_TEXT, "%.*g", digits, (double)v);
        if (strtof(text, NULL) == v)
            return;
    }
}
