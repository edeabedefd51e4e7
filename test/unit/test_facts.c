/* Facts of data: notes, hashes, and data.json there and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/run/datafacts.h"
#include "tools/task/task.h"

static DataFacts facts[3];

static const DataFacts *facts_of(const Task *task, Split split) {
    (void)task;
    return split == SPLIT_TEST ? NULL : &facts[split];
}

static void notes_of_nothing_are_none(void **state) {
    (void)state;
    DataFacts f = {0};
    facts_note(&f, 0, "%d pictures", 0);
    assert_int_equal(f.notes, 0);
    facts_note(&f, 3, "%d pictures of %s", 3, "a");
    facts_note(&f, 4, "%d more", 4);
    assert_int_equal(f.notes, 2);
    assert_string_equal(f.note[0].text, "3 pictures of a");
    assert_int_equal(f.note[1].count, 4);
    facts_free(&f);
    assert_int_equal(f.notes, 0);
}

static void a_long_note_ends_in_dots(void **state) {
    (void)state;
    char name[2000];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = 0;
    DataFacts f = {0};
    facts_note(&f, 1, "%s", name);
    size_t length = strlen(f.note[0].text);
    assert_true(length < 1000);
    assert_string_equal(f.note[0].text + length - 3, "...");
    facts_free(&f);
}

static void the_hash_knows_order_and_place(void **state) {
    (void)state;
    uint64_t ab = facts_hash(facts_hash(0, "a", 2), "b", 2);
    assert_true(ab == facts_hash(0, "a\0b", 4));
    assert_true(ab != facts_hash(facts_hash(0, "b", 2), "a", 2));
    assert_true(facts_hash(facts_hash(0, "ab", 3), "", 1) !=
                facts_hash(facts_hash(0, "a", 2), "b", 2));
    assert_true(facts_hash_number(0, 1) != facts_hash_number(0, 256));
    assert_true(facts_hash(0, "", 0) != 0);
}

static Status save_nothing(const Task *task, const char *run_dir, Err *err) {
    (void)task, (void)run_dir, (void)err;
    return OK;
}

static void a_record_comes_back_from_its_file(void **state) {
    (void)state;
    char dir[] = "/tmp/steady-facts.XXXXXX", path[100];
    assert_non_null(mkdtemp(dir));
    TaskOps ops = {.facts = facts_of, .save_facts = save_nothing};
    Task task = {.ops = &ops};
    facts[SPLIT_TRAIN] = (DataFacts){.count = 7, .hash = 0xFEDCBA9876543210u};
    facts_note(&facts[SPLIT_TRAIN], 2, "2 files \"x\" are not used");
    facts_note(&task.notes, 1, "1 example is left out of each epoch");
    assert_int_equal(task_save_facts(&task, dir, NULL), OK);
    DataRecord record;
    assert_int_equal(datafacts_load(dir, &record, NULL), OK);
    assert_true(record.there[SPLIT_TRAIN] && record.there[SPLIT_VAL]);
    assert_false(record.there[SPLIT_TEST]);
    assert_int_equal(record.split[SPLIT_TRAIN].count, 7);
    assert_true(record.split[SPLIT_TRAIN].hash == facts[SPLIT_TRAIN].hash);
    assert_true(record.split[SPLIT_VAL].hash == 0);
    assert_string_equal(record.split[SPLIT_TRAIN].note[0].text,
                        "2 files \"x\" are not used");
    assert_string_equal(record.task.note[0].text, "1 example is left out of each epoch");
    datarecord_free(&record);
    facts_free(&facts[SPLIT_TRAIN]);
    facts_free(&task.notes);
    text_format(path, sizeof path, "%s/data.json", dir);
    unlink(path);
    assert_int_equal(datafacts_load(dir, &record, NULL), OK);
    assert_false(record.there[SPLIT_TRAIN]);
    rmdir(dir);
}

static void a_wrong_record_is_named(void **state) {
    (void)state;
    static const char *const TEXTS[] = {
        "[", "{\"splits\":{\"train\":{}}}",
        "{\"splits\":{\"val\":{\"count\":-1,\"hash\":null}}}",
        "{\"splits\":{\"val\":{\"count\":1,\"hash\":\"xyz\"}}}",
        "{\"splits\":{\"val\":{\"count\":1,\"hash\":5}}}"};
    char dir[] = "/tmp/steady-facts.XXXXXX", path[100];
    assert_non_null(mkdtemp(dir));
    text_format(path, sizeof path, "%s/data.json", dir);
    for (size_t i = 0; i < COUNT(TEXTS); i++) {
        FILE *file = fopen(path, "w");
        fputs(TEXTS[i], file);
        fclose(file);
        DataRecord record;
        Err err = ERR_NONE;
        assert_int_equal(datafacts_load(dir, &record, &err), FAIL_DATA);
        assert_non_null(strstr(err.text, "data.json"));
        datarecord_free(&record);
    }
    unlink(path);
    rmdir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes_of_nothing_are_none),
        cmocka_unit_test(a_long_note_ends_in_dots),
        cmocka_unit_test(the_hash_knows_order_and_place),
        cmocka_unit_test(a_record_comes_back_from_its_file),
        cmocka_unit_test(a_wrong_record_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
