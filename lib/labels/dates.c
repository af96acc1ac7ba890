/* Dates, as labels.h describes them. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "labels.h"
#include "words.h"

static int days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

static bool is_date(struct label_date d)
{
    return d.year >= 0 && d.year <= 9999 && d.month >= 1 && d.month <= 12 && d.day >= 1 &&
           d.day <= days_of(d.year, d.month);
}

/* The calendar repeats every 146,097 days. Counting years from 1 March puts the leap day at a
   year's end and makes the months' lengths a formula (Hinnant, "chrono-Compatible Low-Level Date
   Algorithms", 2013). */
struct label_date labels_datenum(double days)
{
    struct label_date d = {LABEL_UNKNOWN, 0, 0};
    long z, era, doe, yoe, doy, month;
    if (!(days >= 1 && days < 3652426))
        return d;
    z = (long)days - 61; /* since 1 March of the year 0 */
    era = z >= 0 ? z / 146097 : -1;
    doe = z - era * 146097;
    yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    month = (5 * doy + 2) / 153;
    d.day = (int)(doy - (153 * month + 2) / 5 + 1);
    d.month = (int)(month < 10 ? month + 3 : month - 9);
    d.year = (int)(yoe + era * 400 + (d.month <= 2));
    return d;
}

/* A part of a date: a number of so many digits, or the name of a month, which has none. */
struct part {
    int v, digits;
};

/* Reads parts separated by one of "-/., " each. Returns how many, at most 4, or -1; *sep is the
   last separator. */
static int read_parts(const char *s, struct part part[4], char *sep)
{
    static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    int n = 0;
    for (; *s != '\0'; n++) {
        if (n == 4)
            return -1;
        struct part *p = &part[n];
        *p = (struct part){0, 0};
        if (isalpha((unsigned char)*s)) {
            for (int m = 0; m < 12; m++)
                if (strncmp(s, months + 3 * m, 3) == 0)
                    p->v = m + 1;
            if (p->v == 0)
                return -1;
            while (isalpha((unsigned char)*s))
                s++;
        } else {
            for (; isdigit((unsigned char)*s) && p->digits < 9; s++, p->digits++)
                p->v = 10 * p->v + (*s - '0');
            if (p->digits == 0)
                return -1;
            if (n < 2 && (!strncmp(s, "st", 2) || !strncmp(s, "nd", 2) || !strncmp(s, "rd", 2) ||
                          !strncmp(s, "th", 2)))
                s += 2;
        }
        if (*s == '\0')
            continue;
        if (!strchr("-/., ", *s))
            return -1;
        *sep = *s++;
        while (word_is_blank(*s))
            s++;
    }
    return n;
}

/* Cuts off a time of day: "1990-03-04T00:00:00Z", "3/4/1990 12:00 am". */
static void drop_time(char *s)
{
    char *colon = strchr(s, ':');
    if (colon == NULL)
        return;
    while (colon > s && isdigit((unsigned char)colon[-1]))
        colon--;
    if (colon > s && (colon[-1] == 't' || colon[-1] == ' '))
        colon[-1] = '\0';
}

static int full_year(struct part p)
{
    return p.digits > 2 ? p.v : p.v + (p.v < 30 ? 2000 : 1900);
}

static struct label_date date_of(struct part y, struct part m, struct part d)
{
    return (struct label_date){full_year(y), m.v, d.v};
}

/* A date of three parts. Returns 1, 0 for none, or -1 where two are possible. */
static int from_parts(const struct part p[3], char sep, enum label_date_order order,
                      struct label_date *d)
{
    if (p[1].digits == 0) /* 4 March 1990 */
        return is_date(*d =
                           p[0].digits > 2 ? date_of(p[0], p[1], p[2]) : date_of(p[2], p[1], p[0]));
    if (p[0].digits == 0) /* March 4, 1990 */
        return is_date(*d = date_of(p[2], p[0], p[1]));
    if (p[2].digits == 0)
        return 0;
    if (p[0].digits > 2)
        return is_date(*d = date_of(p[0], p[1], p[2]));
    if (order == DATE_YMD)
        return is_date(*d = date_of(p[0], p[1], p[2]));
    struct label_date dmy = date_of(p[2], p[1], p[0]), mdy = date_of(p[2], p[0], p[1]);
    if (order == DATE_DMY || (order == DATE_UNSAID && sep == '.'))
        return is_date(*d = dmy);
    if (order == DATE_MDY)
        return is_date(*d = mdy);
    if (p[2].digits <= 2)
        return is_date(dmy) || is_date(mdy) ? -1 : 0;
    if (is_date(dmy) && is_date(mdy) && dmy.month != mdy.month)
        return -1;
    return is_date(*d = is_date(dmy) ? dmy : mdy);
}

static int from_text(char *s, enum label_date_order order, struct label_date *d)
{
    struct part part[4];
    char sep = ' ';
    drop_time(s);
    int n = read_parts(s, part, &sep);
    if (n == 1 && part[0].digits == 8) { /* 19900304 */
        int v = part[0].v;
        return is_date(*d = (struct label_date){v / 10000, v / 100 % 100, v % 100});
    }
    return n == 3 ? from_parts(part, sep, order, d) : 0;
}

int labels_date(struct label_date *d, const char *s, size_t n, enum label_date_order order,
                struct mien_err *e)
{
    int shown = (int)(n < WORD_MAX ? n : WORD_MAX), rc = 0;
    char buf[WORD_MAX];
    double days;
    *d = (struct label_date){LABEL_UNKNOWN, 0, 0};
    if (labels_unknown(s, n))
        return 0;
    struct label_date found = *d;
    if (order == DATE_DATENUM || order == DATE_EXCEL) {
        /* Day 60 of Excel is 29 February 1900, which never was; from day 61 on it is right. */
        if (word_to_number(s, n, &days))
            found = labels_datenum(order == DATE_EXCEL ? days + 693960 : days);
        rc = found.year != LABEL_UNKNOWN;
    } else if (word_plain(s, n, buf)) {
        rc = from_text(buf, order, &found);
    }
    if (rc < 0)
        return mien_err_set(
            e, MIEN_ERR_FORMAT,
            "'%.*s' may begin with the day or the month: say which with --date dmy or mdy", shown,
            s);
    if (rc == 0)
        return mien_err_set(e, MIEN_ERR_FORMAT, "'%.*s' is not a date, YYYY-MM-DD", shown, s);
    *d = found;
    return 0;
}

int labels_taken(struct labels *l, const char *s, size_t n, enum label_date_order order,
                 struct mien_err *e)
{
    struct label_date d;
    double year;
    if (labels_unknown(s, n))
        return 0;
    if (word_to_number(s, n, &year) && year >= 0 && year <= 9999 && year == (int)year) {
        l->year = (int)year;
        return 0;
    }
    if (labels_date(&d, s, n, order, NULL) < 0)
        return mien_err_set(e, MIEN_ERR_FORMAT, "'%.*s' is not a year",
                            (int)(n < WORD_MAX ? n : WORD_MAX), s);
    l->year = d.year;
    l->taken = d;
    return 0;
}
