#include "tools/run/datafacts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/program/say.h"
#include "tools/run/rundir.h"

const char *split_name(Split split) {
    static const char *const NAMES[] = {"train", "val", "test"};
    return NAMES[split];
}

const char *split_word(const char *name) {
    static const char *const WORDS[][2] = {{"train", "training"}, {"val", "validation"}};
    for (size_t i = 0; i < COUNT(WORDS); i++)
        if (!strcmp(name, WORDS[i][0])) return WORDS[i][1];
    return name;
}

void datafacts_say_notes(const DataFacts *facts, const char *where) {
    for (size_t i = 0; facts && i < facts->notes; i++)
        say("steady: note: %s%s%s", where, *where ? ": " : "", facts->note[i].text);
}

/* ---- writing ---- */

static json_t *notes_json(const DataFacts *facts) {
    json_t *list = json_array();
    for (size_t i = 0; i < facts->notes; i++)
        json_array_append_new(list, json_pack("{s:I, s:o}", "count",
                                              (json_int_t)facts->note[i].count, "text",
                                              json_text(facts->note[i].text)));
    return list;
}

static json_t *split_json(const DataFacts *facts) {
    char digits[20];
    text_format(digits, sizeof digits, "%016llx", (unsigned long long)facts->hash);
    return json_pack("{s:I, s:o, s:o}", "count", (json_int_t)facts->count, "hash",
                     facts->hash ? json_string(digits) : json_null(), "notes",
                     notes_json(facts));
}

Status datafacts_save(const DataFacts *task, const DataFacts *const split[3],
                      const char *run_dir, Err *err) {
    json_t *splits = json_object();
    for (Split s = SPLIT_TRAIN; s <= SPLIT_TEST; s++)
        if (split[s]) json_object_set_new(splits, split_name(s), split_json(split[s]));
    json_t *root = json_pack("{s:o, s:o}", "notes", notes_json(task), "splits", splits);
    return rundir_save_json(run_dir, "data.json", root, 0, err);
}

/* ---- reading ---- */

static void read_notes(const json_t *list, DataFacts *facts) {
    size_t i;
    json_t *row;
    json_array_foreach(list, i, row) {
        const char *text = json_string_value(json_object_get(row, "text"));
        json_int_t count = json_integer_value(json_object_get(row, "count"));
        if (text && count > 0) facts_note(facts, (size_t)count, "%s", text);
    }
}

static bool read_split(const json_t *row, DataFacts *facts) {
    const json_t *count = json_object_get(row, "count"),
                 *hash = json_object_get(row, "hash");
    if (!json_is_integer(count) || json_integer_value(count) < 0) return false;
    facts->count = (size_t)json_integer_value(count);
    if (json_is_string(hash)) {
        char *end;
        facts->hash = strtoull(json_string_value(hash), &end, 16);
        if (*end || end == json_string_value(hash)) return false;
    } else if (!json_is_null(hash)) {
        return false;
    }
    read_notes(json_object_get(row, "notes"), facts);
    return true;
}

static Status read_record(const json_t *root, const char *run_dir, DataRecord *record,
                          Err *err) {
    const json_t *splits = json_object_get(root, "splits");
    if (!json_is_object(root) || (splits && !json_is_object(splits)))
        return err_set(err, FAIL_DATA,
                       "%s/data.json: expected an object with an object \"splits\"",
                       run_dir);
    read_notes(json_object_get(root, "notes"), &record->task);
    for (Split s = SPLIT_TRAIN; s <= SPLIT_TEST; s++) {
        const json_t *row = json_object_get(splits, split_name(s));
        if (!row) continue;
        if (!read_split(row, &record->split[s]))
            return err_set(
                err, FAIL_DATA,
                "%s/data.json: split %s: expected count (a number) and hash (hexadecimal "
                "digits or null)",
                run_dir, split_name(s));
        record->there[s] = true;
    }
    return OK;
}

Status datafacts_load(const char *run_dir, DataRecord *record, Err *err) {
    Err own = ERR_NONE;
    if (!err) err = &own;
    *record = (DataRecord){0};
    json_t *root = rundir_load_json_if_any(run_dir, "data.json", err);
    if (!root) return err->status;
    Status status = read_record(root, run_dir, record, err);
    json_decref(root);
    return status;
}

void datarecord_free(DataRecord *record) {
    facts_free(&record->task);
    for (size_t s = 0; s < COUNT(record->split); s++) facts_free(&record->split[s]);
}
