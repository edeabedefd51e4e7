#include "data/text/set.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/file/textmarks.h"
#include "data/text/set_parts.h"
#include "data/text/sources.h"
#include "data/where.h"

static const TextSource *const SOURCE_OF[SOURCES] = {
#define SOURCE_ROW(NAME, name, examples, traits) [SOURCE_##NAME] = &name##_source,
    TEXT_SOURCES(SOURCE_ROW)
#undef SOURCE_ROW
};

static bool is_synthetic(const DataConfig *c) {
    return source_has(c->source, TRAIT_SYNTHETIC);
}

bool texts_has(const Texts *t, Split split) {
    const DataConfig *c = t->config;
    if (split == SPLIT_TRAIN) return true;
    if (source_has(c->source, split == SPLIT_VAL ? TRAIT_VAL : TRAIT_TEST)) return true;
    return *texts_path(c, split) || (split == SPLIT_VAL && c->val_fraction > 0);
}

static void free_files(TextFile files[2]) {
    textfile_free(&files[0]);
    textfile_free(&files[1]);
}

/* The text of a split, or its two sides. */
static Status read_files(const Texts *t, Split split, TextFile files[2], Err *err) {
    const DataConfig *c = t->config;
    memset(files, 0, 2 * sizeof *files);
    unsigned kind = 1u << (t->pairs ? EXAMPLES_PAIRS : EXAMPLES_TEXT);
    if (source_check(c->source, kind, err)) return err->status;
    Status status = SOURCE_OF[c->source]->read(c, split, files, err);
    if (status) free_files(files);
    return status;
}

/* ---- a stream ---- */

static Status fill_stream(TextSet *set, const Texts *texts, const TextFile *file,
                          Err *err) {
    const Tokenizer *t = texts->tokenizer[0];
    bool ends = file->size && file->bytes[file->size - 1] == '\n';
    for (size_t i = 0; i < file->count; i++) {
        if (textset_encode(set, texts, 0, file, i, &set->own, err)) return err->status;
        if (!tokenizer_has_specials(t) && i + 1 == file->count && !ends) break;
        if (!tokenizer_has_line_end(t))
            return err_set(err, FAIL_DATA,
                           "%s:%zu: the end of a line is not in the vocabulary, "
                           "because the training text has only one line",
                           file->path, i + 1);
        idlist_add(&set->own, tokenizer_line_end(t));
    }
    set->report.lines = file->count;
    return OK;
}

/* ---- splits ---- */

static void textset_free(TextSet *set) {
    if (!set) return;
    for (size_t s = 0; s < 2; s++) {
        idlist_free(&set->side[s].ids);
        mem_free(set->side[s].start);
    }
    idlist_free(&set->own);
    if (!set->borrows) textfile_free(&set->target);
    mem_free(set->line);
    facts_free(&set->facts);
    mem_free(set);
}

static TextSet *make_set(const Texts *t, TextFile files[2], Err *err) {
    TextSet *set = mem_zalloc(sizeof *set);
    set->pairs = t->pairs;
    for (size_t side = 0; side < (t->pairs ? 2 : 1) && !is_synthetic(t->config); side++)
        textmarks_note(&files[side], &set->facts);
    Status status =
        t->pairs ? pairs_fill(set, t, files, err) : fill_stream(set, t, &files[0], err);
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

static void limit_stream(TextSet *set, const char *key, size_t limit) {
    if (!facts_limit(&set->facts, key, limit, set->own.count, "tokens")) return;
    facts_note(&set->facts, set->own.count - limit,
               "%s = %zu: using the first of %zu tokens", key, limit, set->own.count);
    set->own.count = limit;
}

static void limit_set(const Texts *t, TextSet *set, const char *key, size_t limit) {
    if (t->pairs) pairs_limit(set, key, limit);
    else limit_stream(set, key, limit);
}

/* A fraction of nothing, or of too little. */
static void note_no_cut(TextSet *train, size_t count, double fraction) {
    facts_note(&train->facts, 1,
               "data.val_fraction = %g of %zu %s rounds to zero, so there is no val "
               "split",
               fraction, count, train->pairs ? "pairs" : "tokens");
}

static TextSet *cut(Texts *t, TextSet *train, double fraction) {
    size_t count = t->pairs ? train->count : train->own.count;
    TextSet *val = t->pairs ? pairs_cut(train, fraction) : cut_stream(train, fraction);
    if (!(t->pairs ? val->count : val->own.count)) note_no_cut(train, count, fraction);
    return val;
}

/* The training text, and the validation split where it is cut off from it. */
static Status open_train(Texts *t, TextFile files[2], Err *err) {
    const DataConfig *c = t->config;
    TextSet *train = make_set(t, files, err), *val = NULL;
    if (!train) return err->status;
    limit_set(t, train, "data.limit", c->limit);
    if (!*c->val_path && c->val_fraction > 0 && !is_synthetic(c))
        val = cut(t, train, c->val_fraction);
    textnotes_finish(t, train, SPLIT_TRAIN);
    t->sets[SPLIT_TRAIN] = train;
    if (val) textnotes_finish(t, t->sets[SPLIT_VAL] = val, SPLIT_VAL);
    return OK;
}

/* A split that has a file of its own. */
static Status open_named(Texts *t, TextFile files[2], Split split, Err *err) {
    TextSet *set = make_set(t, files, err);
    if (!set) return err->status;
    if (split == SPLIT_TEST) limit_set(t, set, "data.test_limit", t->config->test_limit);
    size_t left = t->pairs ? set->count : set->own.count;
    const char *path = t->pairs ? set->target.path : files[0].path;
    if (!left)
        err_set(err, FAIL_DATA, "%s %s: the %s split has nothing to score", path,
                set->report.lines ? "has no usable pairs" : "is empty",
                split == SPLIT_VAL ? "val (data.val_path)" : "test (data.test_path)");
    if (left) textnotes_finish(t, t->sets[split] = set, split);
    if (!left) textset_free(set);
    return err->status;
}

static Status open_split(Texts *t, Split split, Err *err) {
    TextFile files[2];
    bool cut = split == SPLIT_VAL && !is_synthetic(t->config) && !*t->config->val_path;
    Split from = cut ? SPLIT_TRAIN : split;
    if (read_files(t, from, files, err)) return err->status;
    if (from == SPLIT_TRAIN) open_train(t, files, err);
    else open_named(t, files, split, err);
    free_files(files);
    return err->status;
}

const TextSet *texts_set(Texts *t, Split split, Err *err) {
    static const char *const KEYS[] = {"data.path", "data.val_path or data.val_fraction",
                                       "data.test_path"};
    if (t->sets[split]) return t->sets[split];
    if (!texts_has(t, split)) {
        err_set(err, FAIL_DATA, "no such split: %s is not set", KEYS[split]);
        return NULL;
    }
    return open_split(t, split, err) ? NULL : t->sets[split];
}

/* ---- opening ---- */

/* The files of the recipe that say what tokens are. */
static Status check_vocabularies(const TokenizerConfig *config, size_t side, Err *err) {
    static const Wanted VOCAB = {.kind = "file",
                                 .what = "a dictionary (a token and its count per line)",
                                 .form = "FILE"},
                        CODES = {.kind = "file",
                                 .what = "merges of subword-nmt",
                                 .form = "FILE"};
    const char *key = side ? "data.target_vocab" : "data.source_vocab";
    if (*config->vocab && where_check(key, config->vocab, &VOCAB, err))
        return err->status;
    bool codes = config->kind == TOKENS_BPE && *config->codes;
    return codes ? where_check("data.bpe_codes", config->codes, &CODES, err) : OK;
}

static Status build_tokenizers(Texts *t, const TextFile files[2], Err *err) {
    const DataConfig *c = t->config;
    const TextFile *both[] = {&files[0], &files[1]};
    for (size_t side = 0; side < (t->pairs ? 2 : 1); side++) {
        TokenizerConfig config = tokenizer_config(c, t->pairs, side);
        bool joint = t->pairs && c->joint;
        if (check_vocabularies(&config, side, err)) return err->status;
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
    if (!files[0].count) err_set(err, FAIL_DATA, "%s is empty", files[0].path);
    else if (!build_tokenizers(t, files, err)) open_train(t, files, err);
    free_files(files);
    for (Split s = SPLIT_VAL; s <= SPLIT_TEST && !err->status; s++)
        if (texts_has(t, s)) texts_set(t, s, err);
    if (!err->status && !is_synthetic(config)) textnotes_overlap(t);
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
                    "%s/%s.vocab differs from the vocabulary of the training text; has "
                    "the text changed?",
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
