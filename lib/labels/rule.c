#include "rule.h"

#include <string.h>

#include "record/col.h"

static const struct {
    const char *name, *headers;
} roles[ROLES] = {
    [ROLE_PATH] = {"path", "path|file|filename|file_name|image|image_path|img|img_path|img_name|"
                           "image_name|image_file|filepath|file_path|fname|full_path|photo|id|"
                           "image_id|key"},
    [ROLE_AGE] = {"age", "age|real_age|true_age|age_years|ages"},
    [ROLE_BAND] = {"band", "age_band|band|age_group|age_range|agegroup|age_bin"},
    [ROLE_MONTHS] = {"months", "age_months|age_in_months|months"},
    [ROLE_GENDER] = {"gender", "gender|sex"},
    [ROLE_SUBJECT] = {"subject", "subject|subject_id|person|person_id|identity|user_id|id_num|"
                                 "celeb_id|name"},
    [ROLE_GROUP] = {"group", "group|race|ethnicity"},
    [ROLE_BIRTH] = {"birth", "birth|dob|date_of_birth|birth_date|birthdate|birthday"},
    [ROLE_YEAR] = {"year", "year|photo_taken|year_taken|date_taken"},
    [ROLE_BOX] = {"box", "box|face_box|bbox|face_bbox|bounding_box"},
    [ROLE_X1] = {"x1", "x1"},
    [ROLE_Y1] = {"y1", "y1"},
    [ROLE_X2] = {"x2", "x2"},
    [ROLE_Y2] = {"y2", "y2"},
    [ROLE_X] = {"x", "x"},
    [ROLE_Y] = {"y", "y"},
    [ROLE_WIDTH] = {"width", "width|w"},
    [ROLE_HEIGHT] = {"height", "height|h"},
    [ROLE_SCORE] = {"score", "score|face_score"},
    [ROLE_SCORE2] = {"score2", "score2|second_face_score"},
    [ROLE_SPLIT] = {"split", "split|part|fold"},
};

const char *rule_role(int role)
{
    return roles[role].name;
}

const char *rule_headers(int role)
{
    return roles[role].headers;
}

/* The role of this name, or ROLES. */
static int role_of(const char *name, size_t len)
{
    int i = 0;
    while (i < ROLES && (strlen(roles[i].name) != len || memcmp(roles[i].name, name, len) != 0))
        i++;
    return i;
}

int rule_column(void *dst, const char *text, struct mien_err *e)
{
    struct rule *r = dst;
    size_t len = strcspn(text, "=");
    int role = text[len] != '\0' ? role_of(text, len) : ROLES;
    if (role == ROLES)
        return mien_err_set(
            e, MIEN_ERR_ARG,
            "'%s' is not ROLE=HEADER, where ROLE is path, age, band, months, gender, subject, "
            "group, birth, year, box, x1, y1, x2, y2, x, y, width, height, score, score2 or split",
            text);
    if (r->header[role] != NULL)
        return mien_err_set(e, MIEN_ERR_ARG,
                            "the role '%s' is given twice; --fields keeps further columns",
                            roles[role].name);
    r->header[role] = text + len + 1;
    return 0;
}

int rule_fields(void *dst, const char *text, struct mien_err *e)
{
    struct rule *r = dst;
    for (const char *s = text;; s++) {
        size_t len = strcspn(s, ","), name = 0;
        while (name < len && s[name] != '=')
            name++;
        struct rule_field f = {s, s, len, len};
        if (name < len)
            f = (struct rule_field){s, s + name + 1, name, len - name - 1};
        if (f.name_len == 0 || f.header_len == 0)
            return mien_err_set(e, MIEN_ERR_ARG, "'%.*s' is not a column to keep", (int)len, s);
        if (col_of(f.name, f.name_len) != 0)
            return mien_err_set(e, MIEN_ERR_ARG,
                                "'%.*s' is a field that records have: see --column, or give "
                                "another name, as in my_%.*s=%.*s",
                                (int)f.name_len, f.name, (int)f.name_len, f.name, (int)f.header_len,
                                f.header);
        if (r->nfield == RULE_FIELDS)
            return mien_err_set(e, MIEN_ERR_ARG, "more than %d columns to keep", RULE_FIELDS);
        r->field[r->nfield++] = f;
        s += len;
        if (*s == '\0')
            return 0;
    }
}

int rule_classes(void *dst, const char *text, struct mien_err *e)
{
    struct rule *r = dst;
    return labels_classes(&r->ages, text, e);
}

int rule_separator(void *dst, const char *text, struct mien_err *e)
{
    struct rule *r = dst;
    if (strcmp(text, "tab") == 0)
        r->separator = '\t';
    else if (strcmp(text, "blank") == 0)
        r->separator = ' ';
    else if (text[0] != '\0' && text[1] == '\0' && (unsigned char)text[0] < 0x80 &&
             !strchr("\"\r\n", text[0]))
        r->separator = text[0];
    else
        return mien_err_set(e, MIEN_ERR_ARG, "'%s' is not a character, tab or blank", text);
    return 0;
}

int rule_value(void *dst, const char *text, struct mien_err *e)
{
    struct rule *r = dst;
    size_t len = strcspn(text, " "), code = 0;
    int role = role_of(text, len);
    const char *s = text + len + strspn(text + len, " ");
    code = strcspn(s, "=");
    if ((role != ROLE_GROUP && role != ROLE_SPLIT && role != ROLE_SUBJECT) || code == 0 ||
        s[code] == '\0')
        return mien_err_set(e, MIEN_ERR_ARG,
                            "'%s' is not ROLE CODE=MEANING, where ROLE is group, split or subject",
                            text);
    if (r->nvalue == RULE_VALUES)
        return mien_err_set(e, MIEN_ERR_ARG, "more than %d values", RULE_VALUES);
    r->value[r->nvalue++] = (struct rule_value){role, s, s + code + 1, code};
    return 0;
}

int rule_ignore(void *dst, const char *text, struct mien_err *e)
{
    struct rule *r = dst;
    if (r->nignored == RULE_IGNORED)
        return mien_err_set(e, MIEN_ERR_ARG, "more than %d columns to ignore", RULE_IGNORED);
    r->ignored[r->nignored++] = text;
    return 0;
}

void rule_override(struct rule *r, const struct rule *over)
{
    const char **text[] = {&r->codes.female, &r->codes.male, &r->path, &r->names};
    const char *const by[] = {over->codes.female, over->codes.male, over->path, over->names};
    for (size_t i = 0; i < sizeof by / sizeof *by; i++)
        if (by[i] != NULL)
            *text[i] = by[i];
    for (int i = 0; i < ROLES; i++) {
        if (over->header[i] != NULL) {
            r->header[i] = over->header[i];
            r->maybe[i] = false;
        }
    }
    if (over->header[ROLE_PATH] != NULL)
        r->path = NULL;
    r->any_age |= over->any_age;
    r->no_header |= over->no_header;
    r->no_repeats |= over->no_repeats;
    r->ages.round |= over->ages.round;
    if (over->ages.offset != 0)
        r->ages.offset = over->ages.offset;
    if (over->ages.nclass > 0) {
        r->ages.nclass = over->ages.nclass;
        memcpy(r->ages.class, over->ages.class, sizeof r->ages.class);
    }
    if (over->date != DATE_UNSAID)
        r->date = over->date;
    if (over->separator != 0)
        r->separator = over->separator;
    for (int i = 0; i < over->nfield && r->nfield < RULE_FIELDS; i++)
        r->field[r->nfield++] = over->field[i];
}

static const struct rule_value *find_value(const struct rule *r, int role, struct label_text t)
{
    for (int i = 0; i < r->nvalue; i++) {
        const struct rule_value *v = &r->value[i];
        if (v->role == role && v->code_len == t.len && memcmp(v->code, t.s, t.len) == 0)
            return v;
    }
    return NULL;
}

bool rule_has_meanings(const struct rule *r, int role)
{
    for (int i = 0; i < r->nvalue; i++)
        if (r->value[i].role == role)
            return true;
    return false;
}

bool rule_has_meaning(const struct rule *r, int role, struct label_text text)
{
    return find_value(r, role, text) != NULL;
}

struct label_text rule_meaning(const struct rule *r, int role, struct label_text text)
{
    const struct rule_value *v = r->nvalue > 0 && text.s != NULL ? find_value(r, role, text) : NULL;
    return v == NULL ? text : (struct label_text){v->meaning, strlen(v->meaning)};
}
