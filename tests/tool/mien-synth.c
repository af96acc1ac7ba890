/* Makes a small data set in IMDB-WIKI's layout for the tests and the demo: DIR/imdb.mat, with the
   traps that the real one has, and DIR/imdb_crop.tar. All of it is synthetic: the people don't
   exist, the names are put together at random, and the faces are drawn by face.h. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../mat_make.h"
#include "face.h"
#include "mien/cli.h"
#include "util/file.h"
#include "image/jpeg.h"
#include "util/cores.h"
#include "util/par.h"

#define PER_SUBJECT 8   /* pictures of a person, on average */
#define BLOCK       128 /* pictures drawn before they are written */
#define LAST_YEAR   2015

struct options {
    int count, size, endian;
    uint64_t seed;
};

struct subject {
    struct person look;
    char name[64];
    int nm; /* the person's number in the paths */
    int year, month, day, age;
};

/* One picture and its entry in the .mat file. */
struct picture {
    char path[64];
    const struct subject *who;
    uint64_t seed;
    int w, h, year;
    float age; /* as it looks: NaN for no face */
    struct view view;
    double gender, box[4], score, score2, dob;
};

struct set {
    struct mien_cli *cli;
    struct options o;
    int subjects, count;
    struct subject *subject;
    struct picture *picture;
};

/* --- The plan ------------------------------------------------------------------------------- */

static const char *const first[2][12] = {{"Ada", "Zoë", "Lucía", "Mei", "Ngozi", "Ingrid", "Chloé",
                                          "Łucja", "Priya", "Hanna", "Sofía", "Ruth"},
                                         {"Jonas", "José", "Björn", "Kwame", "Ravi", "Émile",
                                          "Otto", "Jiří", "Haruki", "Paul", "Niño", "Tom"}};
static const char *const last[] = {"Álvarez", "Berg",   "Černý",  "Dahl",  "Eze",      "Fontaine",
                                   "Grün",    "Hoshi",  "Ito",    "Jones", "Kowalska", "Lind",
                                   "Müller",  "Nakata", "Okafor", "Park",  "Quist",    "Rossi",
                                   "Singh",   "Tran",   "Ueda",   "Voss",  "Weiß",     "Young"};

/* The days of MATLAB's count: 1 is 1 January of the year 0. */
static double datenum(int y, int m, int d)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    int leaps = y > 0 ? (y - 1) / 4 - (y - 1) / 100 + (y - 1) / 400 + 1 : 0;

    return 365.0 * y + leaps + before[m - 1] + (leap && m > 2) + d;
}

static void plan_subject(struct subject *s, int i, uint64_t seed)
{
    struct rng r = {hash_mix(seed ^ hash_mix((uint64_t)i))};

    s->look = person_make(&r);
    snprintf(s->name, sizeof s->name, "%s %s", first[s->look.male][rng_below(&r, 12)],
             last[rng_below(&r, sizeof last / sizeof *last)]);
    if (i % 97 == 50)
        strcpy(s->name, "田中 さくら"); /* not Latin, */
    if (i % 97 == 90)
        strcpy(s->name, ""); /* and nobody */
    s->nm = 1 + (int)((uint64_t)i * 7919 % 9999991);
    s->age = (int)rng_below(&r, 81); /* around which the pictures were taken */
    s->year = LAST_YEAR - s->age - 12 - (int)rng_below(&r, 25);
    s->month = 1 + (int)rng_below(&r, 12);
    s->day = 1 + (int)rng_below(&r, 28);
}

/* Places the face and says where it is: the box goes from the hairline to the chin. */
static void plan_face(struct picture *p, int size, struct rng *r)
{
    float side, tilt = 0.14f * (float)rng_normal(r);

    p->w = (int)((float)size * spread(r, 0.89f, 1.11f));
    p->h = (int)((float)size * spread(r, 0.89f, 1.11f));
    side = (float)(p->w < p->h ? p->w : p->h) * spread(r, 0.48f, 0.6f);
    p->view.scale = side / 2.3f;
    p->view.cos = cosf(tilt);
    p->view.sin = sinf(tilt);
    p->view.x = (float)p->w * 0.5f + (float)p->w * spread(r, -0.08f, 0.08f);
    p->view.y = (float)p->h * 0.48f + (float)p->h * spread(r, -0.06f, 0.06f);
    p->box[0] = p->view.x - side / 2 + side * spread(r, -0.04f, 0.04f) + 1;
    p->box[1] = p->view.y - side * 0.44f + side * spread(r, -0.04f, 0.04f) + 1;
    p->box[2] = p->box[0] + side - 1;
    p->box[3] = p->box[1] + side - 1;
}

/* Makes an entry into one of the traps of the real file. */
static void plan_trap(struct picture *p, struct rng *r)
{
    switch (rng_below(r, 80)) {
    case 0:
    case 1:
        p->gender = NAN;
        break;
    case 2:
    case 3:
    case 4: /* no face found: the location is the whole picture */
        p->age = NAN;
        p->score = -INFINITY;
        p->box[0] = p->box[1] = 1;
        p->box[2] = p->w;
        p->box[3] = p->h;
        break;
    case 5:
    case 6:
        p->score = spread(r, 0.1f, 0.99f);
        break;
    case 7:
    case 8:
    case 9:
        p->score2 = spread(r, 1, 3);
        break;
    case 10: /* a second face that is none */
        p->score2 = -spread(r, 0, 1);
        break;
    case 11: /* photographed before birth, or at 150, or a date that is none */
        p->year = p->who->year - 3;
        break;
    case 12:
        p->dob = datenum(p->who->year - 150, 1, 1);
        break;
    case 13:
        p->dob = 0;
        break;
    case 14: /* whole numbers, which MATLAB stores as small integers */
    case 15:
        for (int k = 0; k < 4; k++)
            p->box[k] = round(p->box[k]);
        break;
    default:
        break;
    }
}

static void plan_picture(struct picture *p, const struct subject *who, int i,
                         const struct options *o)
{
    struct rng r = {hash_mix(~o->seed ^ hash_mix((uint64_t)i))};
    int age = who->age + (int)(6 * rng_normal(&r));

    age = age < 0 ? -age : age > 95 ? 95 : age;
    p->who = who;
    p->seed = rng_next(&r);
    p->year = who->year + age + (who->month >= 7);
    if (p->year > LAST_YEAR)
        p->year = LAST_YEAR;
    p->dob = datenum(who->year, who->month, who->day);
    age = p->year - who->year - (who->month >= 7);
    p->age = clampf((float)age + 0.03f * (float)age * (float)rng_normal(&r), 0, 100);
    p->gender = who->look.male;
    p->score = 1.5 + 4 * rng_uniform(&r);
    p->score2 = NAN;
    plan_face(p, o->size, &r);
    plan_trap(p, &r);
    snprintf(p->path, sizeof p->path, "%02d/nm%07d_rm%u_%d-%d-%d_%d.jpg", who->nm % 100, who->nm,
             (unsigned)(p->seed % 1000000000) + (unsigned)i, who->year, who->month, who->day,
             p->year);
}

static void plan(struct set *s)
{
    struct rng r = {hash_mix(s->o.seed)};
    int i = 0;

    s->subject = calloc((size_t)s->o.count, sizeof *s->subject);
    s->picture = calloc((size_t)s->o.count, sizeof *s->picture);
    if (!s->subject || !s->picture)
        mien_cli_die(s->cli, "out of memory");
    for (s->count = s->o.count; i < s->count; s->subjects++) {
        int n = 1 + (int)rng_below(&r, 2 * PER_SUBJECT - 1);

        plan_subject(&s->subject[s->subjects], s->subjects, s->o.seed);
        for (; n > 0 && i < s->count; n--, i++)
            plan_picture(&s->picture[i], &s->subject[s->subjects], i, &s->o);
    }
}

/* --- The .mat file -------------------------------------------------------------------------- */

static void put_string(struct mk *m, const char *s)
{
    bool ascii = true;

    for (const char *p = s; *p; p++)
        ascii = ascii && (unsigned char)*p < 0x80;
    mk_text(m, ascii ? MK_UTF8 : MK_UTF16, s);
}

static void put_box(struct mk *m, const double *box)
{
    int type = MK_UINT8;

    for (int k = 0; k < 4; k++) {
        if (box[k] != round(box[k]))
            type = MK_DOUBLE;
        else if (type == MK_UINT8 && box[k] > 255)
            type = MK_UINT16;
    }
    mk_reals(m, "", type, box, 4);
}

enum field { DOB, TAKEN, PATH, GENDER, NAME, LOCATION, SCORE, SCORE2, NAMES, ID, FIELDS };

static double number(const struct set *s, int field, const struct picture *p)
{
    switch (field) {
    case DOB:
        return p->dob;
    case TAKEN:
        return p->year;
    case GENDER:
        return p->gender;
    case SCORE:
        return p->score;
    case SCORE2:
        return p->score2;
    default:
        return (double)(p->who - s->subject) + 1;
    }
}

static void put_field(struct mk *m, const struct set *s, int field)
{
    uint32_t n = (uint32_t)(field == NAMES ? s->subjects : s->count);
    int type = field == DOB ? MK_INT32 : field == TAKEN || field == ID ? MK_UINT16 : MK_DOUBLE;
    double *v;
    size_t at;

    if (field == PATH || field == NAME || field == LOCATION || field == NAMES) {
        at = mk_begin(m, MK_CELL_CLASS, "", n);
        for (uint32_t i = 0; i < n; i++) {
            if (field == NAMES)
                put_string(m, s->subject[i].name);
            else if (field == LOCATION)
                put_box(m, s->picture[i].box);
            else
                put_string(m, field == PATH ? s->picture[i].path : s->picture[i].who->name);
        }
        mk_end(m, at);
        return;
    }
    v = calloc(n, sizeof *v);
    if (!v)
        mien_cli_die(s->cli, "out of memory");
    for (uint32_t i = 0; i < n; i++)
        v[i] = number(s, field, &s->picture[i]);
    mk_reals(m, "", type, v, n);
    free(v);
}

static void write_mat(const struct set *s, const char *path)
{
    static const char *const name[FIELDS] = {
        "dob",           "photo_taken", "full_path",         "gender",      "name",
        "face_location", "face_score",  "second_face_score", "celeb_names", "celeb_id"};
    struct mk m = {.big = s->o.endian == 1};
    size_t at = mk_begin(&m, MK_STRUCT_CLASS, "imdb", 1);
    struct mien_buf file = {0};
    struct file_out out;
    struct mien_err e;

    mk_fields(&m, name, FIELDS);
    for (int i = 0; i < FIELDS; i++)
        put_field(&m, s, i);
    mk_end(&m, at);
    mk_file(&m, true, &file);
    if (file_create(&out, path, &e) < 0)
        mien_cli_die(s->cli, "%s", e.msg);
    if (file_write(out.fd, file.data, file.len) < 0)
        mien_cli_die(s->cli, "cannot write '%s': %s", path, strerror(errno));
    if (file_commit(&out, &e) < 0)
        mien_cli_die(s->cli, "%s", e.msg);
    mien_buf_free(&file);
    mien_buf_free(&m.b);
}

/* --- The pictures --------------------------------------------------------------------------- */

/* Pictures from before color film was common. */
static void to_gray(unsigned char *px, size_t n)
{
    for (; n > 0; n--, px += 3)
        px[0] = px[1] = px[2] = (unsigned char)((299 * px[0] + 587 * px[1] + 114 * px[2]) / 1000);
}

static int draw(const struct picture *p, struct mien_buf *jpeg, struct mien_err *e)
{
    size_t n = (size_t)p->w * (size_t)p->h;
    struct canvas c = {p->w, p->h, malloc(n * 3 * sizeof(float))};
    unsigned char *px = malloc(n * 3);
    struct rng r = {p->seed};
    int rc = c.rgb && px ? 0 : mien_err_mem(e, n * 3, "a picture");

    if (rc == 0) {
        background_draw(&c, &r);
        if (p->score2 > 0) {
            struct view small = p->view;
            struct person other = person_make(&r);

            small.x += p->view.x < (float)p->w / 2 ? 2.1f * small.scale : -2.1f * small.scale;
            small.scale *= 0.55f;
            face_draw(&c, &small, &other, spread(&r, 5, 80), &r);
        }
        if (!isnan(p->age))
            face_draw(&c, &p->view, &p->who->look, p->age, &r);
        develop(&c, &r, px);
        if (p->year < 1960)
            to_gray(px, n);
        rc = img_jpeg_encode(px, p->h, p->w, 80 + (int)rng_below(&r, 15), jpeg, e);
    }
    free(c.rgb);
    free(px);
    return rc;
}

/* A block of pictures, drawn by all threads and then written in order. */
struct block {
    const struct picture **picture;
    struct mien_buf jpeg[BLOCK];
    int rc[BLOCK];
    struct mien_err err[BLOCK];
};

static void draw_one(void *ctx, int worker, size_t i)
{
    struct block *b = ctx;

    (void)worker;
    mien_buf_clear(&b->jpeg[i]);
    b->rc[i] = draw(b->picture[i], &b->jpeg[i], &b->err[i]);
}

static void tar_put(const struct set *s, struct archive *tar, const char *path,
                    const struct mien_buf *b)
{
    struct archive_entry *entry = archive_entry_new();
    char name[128];

    snprintf(name, sizeof name, "imdb_crop/%s", path);
    archive_entry_set_pathname(entry, name);
    archive_entry_set_size(entry, (la_int64_t)b->len);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_mtime(entry, 0, 0);
    if (archive_write_header(tar, entry) != ARCHIVE_OK ||
        archive_write_data(tar, b->data, b->len) != (la_ssize_t)b->len)
        mien_cli_die(s->cli, "cannot write the archive: %s", archive_error_string(tar));
    archive_entry_free(entry);
}

static int by_path(const void *a, const void *b)
{
    return strcmp((*(const struct picture *const *)a)->path,
                  (*(const struct picture *const *)b)->path);
}

static void write_tar(const struct set *s, const char *path)
{
    size_t n = (size_t)s->count;
    const struct picture **order = calloc(n, sizeof *order);
    struct block *b = calloc(1, sizeof *b);
    struct archive *tar = archive_write_new();
    struct par *team;
    struct file_out out;
    struct mien_err e;

    if (!order || !b || !tar)
        mien_cli_die(s->cli, "out of memory");
    for (size_t i = 0; i < n; i++)
        order[i] = &s->picture[i];
    /* By folder, as in the real archive; the .mat file goes by person. */
    qsort(order, n, sizeof *order, by_path);
    archive_write_set_format_ustar(tar);
    if (file_create(&out, path, &e) < 0)
        mien_cli_die(s->cli, "%s", e.msg);
    if (archive_write_open_fd(tar, out.fd) != ARCHIVE_OK)
        mien_cli_die(s->cli, "%s", archive_error_string(tar));
    if (!(team = par_new(cores_usable(), &e)))
        mien_cli_die(s->cli, "%s", e.msg);
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t now = n - at < BLOCK ? n - at : BLOCK;

        b->picture = order + at;
        par_for(team, now, draw_one, b);
        for (size_t i = 0; i < now; i++) {
            if (b->rc[i] < 0)
                mien_cli_die(s->cli, "%s", b->err[i].msg);
            tar_put(s, tar, order[at + i]->path, &b->jpeg[i]);
        }
    }
    if (archive_write_close(tar) != ARCHIVE_OK)
        mien_cli_die(s->cli, "%s", archive_error_string(tar));
    archive_write_free(tar);
    if (file_commit(&out, &e) < 0)
        mien_cli_die(s->cli, "%s", e.msg);
    par_free(team);
    for (int i = 0; i < BLOCK; i++)
        mien_buf_free(&b->jpeg[i]);
    free(b);
    free(order);
}

int main(int argc, char **argv)
{
    struct set s = {.o = {2000, 180, 0, 1}};
    const struct mien_option opts[] = {
        MIEN_OPT_INT(0, "count", "N", &s.o.count, 1, 65535, "pictures [2000]"),
        MIEN_OPT_INT(0, "size", "PX", &s.o.size, 32, 4096, "a picture's side, about [180]"),
        MIEN_OPT_CHOICE(0, "endian", "ORDER", &s.o.endian, "little|big",
                        "byte order of the .mat file, little or big [little]"),
        MIEN_OPT_SEED('s', "seed", "N", &s.o.seed, "seed of people and pictures [1]"),
        MIEN_OPT_ALIAS('n', NULL, "count"),
    };
    struct mien_cli cli = {
        .name = "mien-synth",
        .synopsis = "[options] DIR",
        .purpose = "Makes a synthetic data set in IMDB-WIKI's layout: DIR/imdb.mat and "
                   "DIR/imdb_crop.tar.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
        .examples = "mien-synth --count 400 faces",
    };
    char path[4096];

    s.cli = &cli;
    mien_cli_operands(&cli, mien_cli_parse(&cli, argc, argv), argv, 1, 1, "DIR");
    if (mkdir(argv[1], 0777) < 0 && errno != EEXIST)
        mien_cli_die(&cli, "cannot make '%s': %s", argv[1], strerror(errno));
    plan(&s);
    snprintf(path, sizeof path, "%s/imdb.mat", argv[1]);
    write_mat(&s, path);
    snprintf(path, sizeof path, "%s/imdb_crop.tar", argv[1]);
    write_tar(&s, path);
    free(s.subject);
    free(s.picture);
    return MIEN_EXIT_OK;
}
