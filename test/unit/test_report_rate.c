/* The rate of training in a run's report. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"
#include "tools/figure/report.h"

static void report_has(const char *dir, const char *row) {
    Err err = ERR_NONE;
    size_t size;
    if (report_write(dir, NULL, NULL, &err)) fail_msg("%s", err.text);
    char *html = (char *)files_read(dir, "report.html", &size);
    if (!strstr(html, row)) fail_msg("no %s", row);
    mem_free(html);
}

static void the_median_of_two_rows_is_between_them(void **state) {
    files_write_text(*state, "train.jsonl",
                     "{\"step\":1,\"loss\":2,\"items_per_s\":10}\n"
                     "{\"step\":2,\"loss\":2,\"items_per_s\":40}\n");
    report_has(*state, "examples per second (median)<td class=n>25.0<");
    files_append_text(*state, "train.jsonl",
                      "{\"step\":3,\"loss\":2,\"items_per_s\":null}\n"
                      "{\"step\":4,\"loss\":2,\"items_per_s\":30}\n");
    report_has(*state, "examples per second (median)<td class=n>30.0<");
}

static void a_text_without_evaluations_has_tokens_per_second(void **state) {
    files_write_text(*state, "recipe.ini", "[task]\nkind = language\n");
    files_write_text(*state, "train.jsonl",
                     "{\"step\":1,\"loss\":2,\"items_per_s\":10}\n");
    report_has(*state, "tokens per second (median)<td class=n>10.0<");
}

int main(void) {
    const struct CMUnitTest cases[] = {
        FOLDER_TEST(the_median_of_two_rows_is_between_them),
        FOLDER_TEST(a_text_without_evaluations_has_tokens_per_second),
    };
    return cmocka_run_group_tests_name("report_rate", cases, NULL, NULL);
}
