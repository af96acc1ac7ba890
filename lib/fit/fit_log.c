#include "fit_log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "mien/buf.h"
#include "util/num.h"

struct fit_log {
    FILE *file;
    char *path;
    bool old;  /* may have epochs that are trained again */
    bool lost; /* it can't be written */
};

static int fail(struct fit_log *l, struct mien_err *e)
{
    l->lost = true;
    return mien_err_sys(e, "cannot write '%s'", l->path);
}

struct fit_log *fit_log_open(const char *path, bool resume, struct mien_err *e)
{
    struct fit_log *l = calloc(1, sizeof *l);
    if (l == NULL || (l->path = strdup(path)) == NULL) {
        free(l);
        mien_err_mem(e, sizeof *l, "a log");
        return NULL;
    }
    l->old = resume;
    l->file = fopen(path, resume ? "a+" : "w");
    if (l->file == NULL) {
        mien_err_sys(e, "cannot create '%s'", path);
        free(l->path);
        free(l);
        return NULL;
    }
    return l;
}

/* Cuts the log off before its first line of that epoch or a later one. */
static int cut(struct fit_log *l, int epoch)
{
    char line[1024];
    long end = 0;
    rewind(l->file);
    while (fgets(line, sizeof line, l->file) != NULL && strchr(line, '\n') != NULL &&
           strtol(line, NULL, 10) < epoch) /* the columns' names count as 0 */
        end = ftell(l->file);
    if (ferror(l->file) || fseek(l->file, 0, SEEK_END) != 0)
        return -1;
    return ftell(l->file) > end ? ftruncate(fileno(l->file), end) : 0;
}

int fit_log_write(struct fit_log *l, const struct fit_epoch *epoch, struct mien_err *e)
{
    if (l == NULL || l->lost)
        return 0;
    if (l->old && cut(l, epoch->epoch) < 0)
        return fail(l, e);
    l->old = false;
    if (fseek(l->file, 0, SEEK_END) != 0 || ftell(l->file) <= 0)
        fputs("epoch\ttrain_loss\tval_loss\tval_gender_accuracy\tval_age_exact\tval_age_mae\tval_"
              "age_cs5\t"
              "lr\tbest\n",
              l->file);
    fprintf(l->file, "%d\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\t%d\n", epoch->epoch,
            epoch->train_loss, epoch->val.loss, epoch->val.gender_accuracy, epoch->val.age_exact,
            epoch->val.age_mae, epoch->val.age_cs5, epoch->lr, epoch->best);
    return fflush(l->file) != 0 ? fail(l, e) : 0;
}

int fit_log_close(struct fit_log *l, struct mien_err *e)
{
    if (l == NULL)
        return 0;
    bool lost = l->lost;
    int rc = fclose(l->file) != 0 && !lost ? fail(l, e) : 0;
    free(l->path);
    free(l);
    return rc;
}

void fit_epoch_line(const struct fit_epoch *epoch, int epochs, char *line, size_t size)
{
    char loss[40] = "", gender[40] = "", age[80] = "", cost[80] = "";
    const struct metrics *v = &epoch->val;
    if (v->n_gender + v->n_age > 0)
        snprintf(loss, sizeof loss, ", validation loss %.4f", v->loss);
    if (v->n_gender > 0)
        snprintf(gender, sizeof gender, ", gender %.2f%%", 100 * v->gender_accuracy);
    if (v->n_age > 0)
        snprintf(age, sizeof age, ", age exact %.2f%%, MAE %.3f, CS(5) %.2f%%", 100 * v->age_exact,
                 v->age_mae, 100 * v->age_cs5);
    if (epoch->seconds > 0) {
        struct rusage u;
        getrusage(RUSAGE_SELF, &u);
        snprintf(cost, sizeof cost, ", %.2f s, %.1f images/s, %.0f MiB", epoch->seconds,
                 epoch->images_per_second, (double)u.ru_maxrss / 1024);
    }
    snprintf(line, size, "%d/%d: loss %.4f%s%s%s%s%s", epoch->epoch, epochs, epoch->train_loss,
             loss, gender, age, cost, epoch->best ? " *" : "");
}

void fit_metrics_line(const struct metrics *m, char *line, size_t size)
{
    char gender[40] = "", age[40] = "";
    if (m->n_gender > 0)
        snprintf(gender, sizeof gender, ", gender %.1f%%", 100 * m->gender_accuracy);
    if (m->n_age > 0)
        snprintf(age, sizeof age, ", MAE %.2f", m->age_mae);
    snprintf(line, size, "loss %.3f%s%s", m->loss, gender, age);
}

/* The share of records that guessing the more frequent gender is right for. */
static double guess_gender(const struct mien_pack *p)
{
    size_t n[MIEN_GENDERS] = {0};
    for (size_t i = 0; i < p->n; i++) {
        if (p->gender[i] < MIEN_GENDERS)
            n[p->gender[i]]++;
    }
    return fmax((double)n[0], (double)n[1]) / (double)(n[0] + n[1]);
}

/* The mean absolute error of guessing the median age. */
static double guess_age(const struct mien_pack *p)
{
    size_t n[MIEN_AGES] = {0}, total = 0, below = 0;
    int median = 0;
    double error = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (p->age[i] < MIEN_AGES) {
            n[p->age[i]]++;
            total++;
        }
    }
    while (2 * (below + n[median]) < total)
        below += n[median++];
    for (int age = 0; age < MIEN_AGES; age++)
        error += (double)n[age] * abs(age - median);
    return error / (double)total;
}

bool fit_weak_head(const struct fit_epoch *kept, const struct mien_pack *val, char *text,
                   size_t size)
{
    const double hardly = 0.9;
    const struct metrics *v = &kept->val;
    double gender = v->n_gender > 0 ? guess_gender(val) : 0;
    double age = v->n_age > 0 ? guess_age(val) : 0;
    if (v->n_gender > 0 && 1 - v->gender_accuracy > hardly * (1 - gender)) {
        snprintf(text, size,
                 "genders are hardly better than guessed: %.2f%% right, guessing %.2f%%",
                 100 * v->gender_accuracy, 100 * gender);
        return true;
    }
    if (v->n_age > 0 && v->age_mae > hardly * age) {
        snprintf(text, size, "ages are hardly better than guessed: MAE %.2f, guessing %.2f",
                 v->age_mae, age);
        return true;
    }
    return false;
}
