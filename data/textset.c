#include "data/textset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/grammar.h"
#include "data/numbers.h"

bool textset_source_known(const char *name) {
    static const char *const NAMES[] = {"text", "parallel", "grammar", "numbers"};
    for (size_t i = 0; i < COUNT(NAMES); i++)
        if (!strcmp(NAMES[i], name)) return true;
    return false;
}

const char *textset_source_list(void) { return "text, parallel, grammar, numbers"; }

/* ---- files ---- */

static bool is_synthetic(const DataConfig *c) {
    return !strcmp(c->source, "grammar") || !strcmp(c->source, "numbers");
}

static const char *path_of_split(const DataConfig *c, Split split) {
    return split == SPLIT_TRAIN ? c->path
           : split == SPLIT_VAL ? c->val_path
                                : c->test_path;
}

bool texts_has(const Texts *t, Split split) {
    const DataConfig *c = t->config;
    if (split == SPLIT_TRAIN || is_synthetic(c)) return true;
    return *path_of_split(c, split) || (split == SPLIT_VAL && c->val_fraction > 0);
}

enum { SYNTHETIC_SEED = 1, HELD_OUT_SHARE = 5, HELD_OUT_MOST = 1000 };

static void make_synthetic(const DataConfig *c, Split split, TextFile files[2]) {
    TextBuffer source = {0}, target = {0};
    size_t count = c->synthetic_count;
    if (split != SPLIT_TRAIN)
        count = MAX(MIN(count / HELD_OUT_SHARE, (size_t)HELD_OUT_MOST), (size_t)1);
    if (!strcmp(c->source, "numbers")) {
        numbers_text(SYNTHETIC_SEED, split, count, &source, &target);
        textfile_of(&files[1], &target, "numbers.target");
    } else {
        grammar_text(SYNTHETIC_SEED, split, count, &source);
    }
    textfile_of(&files[0], &source, c->source);
}

/* The text of a split, or its two sides. */
static Status read_files(const Texts *t, Split split, TextFile files[2], Err *err) {
    const DataConfig *c = t->config;
    memset(files, 0, 2 * sizeof *files);
    if (is_synthetic(c)) return make_synthetic(c, split, files), OK;
    const char *path = path_of_split(c, split);
    if (!t->pairs) return textfile_read(&files[0], path, err);
    for (size_t side = 0; side < 2; side++) {
        char name[1100];
        text_format(name, sizeof name, "%s.%s", path,
                    side ? c->target_lang : c->source_lang);
        if (textfile_read(&files[side], name, err)) {
            textfile_free(&files[0]);
            return err->status;
        }
    }
    if (files[0].count == files[1].count) return OK;
    err_set(err, FAIL_DATA,
            "%s has %zu lines, %s has %zu: line k of the one must be the translation of "
            "line k of the other",
            files[0].path, files[0].count, files[1].path, files[1].count);
    textfile_free(&files[0]);
    textfile_free(&files[1]);
    return err->status;
}

/* ---- a stream ---- */

static Status encode_line(const Tokenizer *t, const TextFile *file, size_t i, IdList *ids,
                          Err *err) {
    size_t length;
    const char *line = textfile_line(file, i, &length);
    if (tokenizer_encode(t, line, length, ids, err))
        return err_wrap(err, "%s:%zu", file->path, i + 1), err->status;
    return OK;
}

static size_t count_unknown(const Tokenizer *t, const uint32_t *ids, size_t count) {
    size_t unknown = 0;
    for (size_t i = 0; tokenizer_has_specials(t) && i < count; i++)
        unknown += ids[i] == ID_UNK;
    return unknown;
}

static Status fill_stream(TextSet *set, const Tokenizer *t, const TextFile *file,
                          Err *err) {
    bool ends = file->size && file->bytes[file->size - 1] == '\n';
    for (size_t i = 0; i < file->count; i++) {
        if (encode_line(t, file, i, &set->own, err)) return err->status;
        if (!tokenizer_has_specials(t) && i + 1 == file->count && !ends) break;
        if (!tokenizer_has_line_end(t))
            return err_set(err, FAIL_DATA,
                           "%s:%zu: a line's end is not in the vocabulary: the training "
                           "text is one line",
                           file->path, i + 1);
        idlist_add(&set->own, tokenizer_line_end(t));
    }
    set->report.lines = file->count;
    return OK;
}

static void finish_stream(TextSet *set, const Tokenizer *t) {
    set->stream = set->own.ids;
    set->stream_count = set->own.count;
    set->report.tokens[0] = set->own.count;
    set->report.unknown[0] = count_unknown(t, set->own.ids, set->own.count);
}

/* ---- pairs ---- */

typedef enum { KEEP, EMPTY, LONG, RATIO } Verdict;

static Verdict judge_pair(const DataConfig *c, size_t source, size_t target) {
    if (!source || !target) return EMPTY;
    if (MAX(source, target) > c->max_length) return LONG;
    double ratio = (double)MAX(source, target) / (double)MIN(source, target);
    return c->max_ratio > 0 && ratio > c->max_ratio ? RATIO : KEEP;
}

static Status refuse(const DataConfig *c, Verdict verdict, const TextFile files[2],
                     size_t line, const size_t count[2], Err *err) {
    const TextFile *file = &files[count[1] > count[0]];
    switch (verdict) {
    case EMPTY:
        file = &files[count[1] == 0 && count[0] != 0];
        return err_set(err, FAIL_DATA,
                       "%s:%zu: an empty line has no translation; data.on_error = skip "
                       "leaves such pairs out",
                       file->path, line + 1);
    case LONG:
        return err_set(err, FAIL_DATA,
                       "%s:%zu: %zu tokens, more than data.max_length = %zu; "
                       "data.drop_long = true leaves such pairs out",
                       file->path, line + 1, MAX(count[0], count[1]), c->max_length);
    default:
        return err_set(err, FAIL_DATA,
                       "%s:%zu: %zu tokens for %zu, a ratio above data.max_ratio = %g; "
                       "data.drop_long = true leaves such pairs out",
                       file->path, line + 1, MAX(count[0], count[1]),
                       MIN(count[0], count[1]), c->max_ratio);
    }
}

/* Encodes line i on both sides; takes it back where the pair is left out. */
static Status add_pair(TextSet *set, const Texts *t, const TextFile files[2], size_t i,
                       Err *err) {
    const DataConfig *c = t->config;
    size_t before[2], count[2];
    for (size_t s = 0; s < 2; s++) {
        IdList *ids = &set->side[s].ids;
        before[s] = ids->count;
        if (encode_line(t->tokenizer[s], &files[s], i, ids, err)) return err->status;
        count[s] = ids->count - before[s];
    }
    Verdict verdict = judge_pair(c, count[0], count[1]);
    bool drop = verdict == EMPTY ? c->on_error == ON_ERROR_SKIP : c->drop_long;
    if (verdict != KEEP && !drop) return refuse(c, verdict, files, i, count, err);
    TextReport *r = &set->report;
    r->empty += verdict == EMPTY, r->too_long += verdict == LONG;
    r->ratio += verdict == RATIO;
    for (size_t s = 0; s < 2; s++) {
        IdList *ids = &set->side[s].ids;
        if (verdict != KEEP) {
            ids->count = before[s];
            continue;
        }
        idlist_add(ids, ID_EOS);
        set->side[s].start[set->count + 1] = ids->count;
        r->longest[s] = MAX(r->longest[s], count[s] + 1);
    }
    if (verdict == KEEP) set->line[set->count++] = i;
    return OK;
}

static Status fill_pairs(TextSet *set, const Texts *t, TextFile files[2], Err *err) {
    size_t most = files[0].count;
    for (size_t s = 0; s < 2; s++)
        set->side[s].start = mem_zalloc((most + 1) * sizeof(size_t));
    set->line = mem_alloc(MAX(most, (size_t)1) * sizeof *set->line);
    set->report.lines = most;
    for (size_t i = 0; i < most; i++)
        if (add_pair(set, t, files, i, err)) return err->status;
    set->target = files[1];
    files[1] = (TextFile){0};
    return OK;
}

static void finish_pairs(TextSet *set, const Texts *t) {
    for (size_t s = 0; s < 2; s++) {
        size_t count = set->side[s].start[set->count];
        set->report.tokens[s] = count;
        set->report.unknown[s] =
            count_unknown(t->tokenizer[s], set->side[s].ids.ids, count);
    }
}

const uint32_t *textset_source(const TextSet *set, size_t i, size_t *count) {
    const TextSide *s = &set->side[0];
    *count = s->start[i + 1] - s->start[i];
    return s->ids.ids + s->start[i];
}

const uint32_t *textset_target(const TextSet *set, size_t i, size_t *count) {
    const TextSide *s = &set->side[1];
    *count = s->start[i + 1] - s->start[i];
    return s->ids.ids + s->start[i];
}

const char *textset_target_line(const TextSet *set, size_t i, size_t *length) {
    return textfile_line(&set->target, set->line[i], length);
}

/* ---- splits ---- */

static void textset_free(TextSet *set) {
    if (!set) return;
    for (size_t s = 0; s < 2; s++) {
        idlist_free(&set->side[s].ids);
        mem_free(set->side[s].start);
    }
    idlist_free(&set->own);
    textfile_free(&set->target);
    mem_free(set->line);
    facts_free(&set->facts);
    mem_free(set);
}

static TextSet *make_set(const Texts *t, TextFile files[2], Err *err) {
    TextSet *set = mem_zalloc(sizeof *set);
    set->pairs = t->pairs;
    Status status = t->pairs ? fill_pairs(set, t, files, err)
                             : fill_stream(set, t->tokenizer[0], &files[0], err);
    if (!status) return set;
    textset_free(set);
    return NULL;
}

static void copy_ids(IdList *to, const uint32_t *ids, size_t count) {
    for (size_t i = 0; i < count; i++) idlist_add(to, ids[i]);
}

/* The end of the training text becomes the validation split. */
static TextSet *cut_stream(TextSet *train, double fraction) {
    TextSet *val = mem_zalloc(sizeof *val);
    size_t cut = (size_t)llround(fraction * (double)train->own.count);
    train->own.count -= cut;
    copy_ids(&val->own, train->own.ids + train->own.count, cut);
    return val;
}

static TextSet *cut_pairs(TextSet *train, double fraction) {
    TextSet *val = mem_zalloc(sizeof *val);
    size_t cut = (size_t)llround(fraction * (double)train->count);
    size_t first = train->count - cut;
    val->pairs = true;
    val->count = cut;
    val->line = mem_alloc(MAX(cut, (size_t)1) * sizeof *val->line);
    for (size_t i = 0; i < cut; i++) val->line[i] = i;
    TextBuffer lines = {0};
    for (size_t i = first; i < train->count; i++) {
        size_t length;
        const char *line = textset_target_line(train, i, &length);
        text_append(&lines, line, length);
        text_append_byte(&lines, '\n');
    }
    textfile_of(&val->target, &lines, "validation split");
    for (size_t s = 0; s < 2; s++) {
        const TextSide *from = &train->side[s];
        size_t base = from->start[first];
        val->side[s].start = mem_alloc((cut + 1) * sizeof(size_t));
        for (size_t i = 0; i <= cut; i++)
            val->side[s].start[i] = from->start[first + i] - base;
        copy_ids(&val->side[s].ids, from->ids.ids + base, val->side[s].start[cut]);
    }
    train->count = first;
    return val;
}

static void limit_set(TextSet *set, size_t limit) {
    if (!limit) return;
    set->count = MIN(set->count, limit);
    set->own.count = MIN(set->own.count, limit);
}

static void finish_set(const Texts *t, TextSet *set) {
    if (t->pairs)
        finish_pairs(set, t);
    else
        finish_stream(set, t->tokenizer[0]);
    set->facts.count = t->pairs ? set->count : set->stream_count;
}

/* The training text, and the validation split where it is cut off from it. */
static Status open_train(Texts *t, TextFile files[2], Err *err) {
    const DataConfig *c = t->config;
    TextSet *train = make_set(t, files, err), *val = NULL;
    if (!train) return err->status;
    limit_set(train, c->limit);
    if (!*c->val_path && c->val_fraction > 0 && !is_synthetic(c)) {
        val = t->pairs ? cut_pairs(train, c->val_fraction)
                       : cut_stream(train, c->val_fraction);
        finish_set(t, val);
        t->sets[SPLIT_VAL] = val;
    }
    finish_set(t, train);
    t->sets[SPLIT_TRAIN] = train;
    return OK;
}

static Status open_split(Texts *t, Split split, Err *err) {
    TextFile files[2];
    bool cut = split == SPLIT_VAL && !is_synthetic(t->config) && !*t->config->val_path;
    Split from = cut ? SPLIT_TRAIN : split;
    if (read_files(t, from, files, err)) return err->status;
    if (from == SPLIT_TRAIN)
        open_train(t, files, err);
    else if ((t->sets[split] = make_set(t, files, err)))
        finish_set(t, t->sets[split]);
    textfile_free(&files[0]);
    textfile_free(&files[1]);
    return err->status;
}

const TextSet *texts_set(Texts *t, Split split, Err *err) {
    static const char *const KEYS[] = {"data.path", "data.val_path or data.val_fraction",
                                       "data.test_path"};
    if (t->sets[split]) return t->sets[split];
    if (!texts_has(t, split)) {
        err_set(err, FAIL_DATA, "there is no such split: %s is not given", KEYS[split]);
        return NULL;
    }
    return open_split(t, split, err) ? NULL : t->sets[split];
}

/* ---- opening ---- */

static Status build_tokenizers(Texts *t, const TextFile files[2], Err *err) {
    const DataConfig *c = t->config;
    const TextFile *both[] = {&files[0], &files[1]};
    for (size_t side = 0; side < (t->pairs ? 2 : 1); side++) {
        TokenizerConfig config = tokenizer_config(c, t->pairs, side);
        bool joint = t->pairs && c->joint;
        if (side && joint) {
            t->tokenizer[1] = t->tokenizer[0];
            break;
        }
        t->tokenizer[side] =
            tokenizer_build(&config, both + (joint ? 0 : side), joint ? 2 : 1, err);
        if (!t->tokenizer[side]) return err->status;
    }
    return OK;
}

Status texts_open(Texts *t, const DataConfig *config, bool pairs, Err *err) {
    *t = (Texts){.config = config, .pairs = pairs};
    TextFile files[2];
    if (read_files(t, SPLIT_TRAIN, files, err)) return err->status;
    if (!files[0].count)
        err_set(err, FAIL_DATA, "%s is empty", files[0].path);
    else if (!build_tokenizers(t, files, err))
        open_train(t, files, err);
    textfile_free(&files[0]);
    textfile_free(&files[1]);
    for (Split s = SPLIT_VAL; s <= SPLIT_TEST && !err->status; s++)
        if (texts_has(t, s)) texts_set(t, s, err);
    if (err->status) texts_close(t);
    return err->status;
}

static const char *name_of(const Texts *t, size_t side) {
    return !t->pairs ? "text" : side ? "target" : "source";
}

Status texts_open_run(Texts *t, const DataConfig *config, bool pairs, const char *run_dir,
                      Err *err) {
    *t = (Texts){.config = config, .pairs = pairs};
    for (size_t side = 0; side < (pairs ? 2 : 1); side++) {
        t->tokenizer[side] = side && config->joint
                                 ? t->tokenizer[0]
                                 : tokenizer_load(run_dir, name_of(t, side), err);
        if (!t->tokenizer[side]) return texts_close(t), err->status;
    }
    return OK;
}

Status texts_check_saved(const Texts *t, const char *run_dir, Err *err) {
    Texts saved;
    if (texts_open_run(&saved, t->config, t->pairs, run_dir, err)) return err->status;
    for (size_t side = 0; side < (t->pairs ? 2 : 1) && !err->status; side++)
        if (!tokenizer_same(t->tokenizer[side], saved.tokenizer[side]))
            err_set(err, FAIL_DATA,
                    "%s/%s.vocab is not what the training text gives now; has the text "
                    "changed?",
                    run_dir, name_of(t, side));
    texts_close(&saved);
    return err->status;
}

Status texts_save(const Texts *t, const char *run_dir, Err *err) {
    for (size_t side = 0; side < (t->pairs ? 2 : 1); side++)
        if ((!side || t->tokenizer[1] != t->tokenizer[0]) &&
            tokenizer_save(t->tokenizer[side], run_dir, name_of(t, side), err))
            return err->status;
    return OK;
}

void texts_close(Texts *t) {
    for (size_t i = 0; i < COUNT(t->sets); i++) textset_free(t->sets[i]);
    if (t->tokenizer[1] != t->tokenizer[0]) tokenizer_free(t->tokenizer[1]);
    tokenizer_free(t->tokenizer[0]);
    *t = (Texts){0};
}
