/* What a report shows of RUN/answers.json, whoever wrote it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"
#include "tools/figure/report.h"
#include "tools/run/rundir.h"
#include "tools/task/answers.h"

static void put(void **state, const char *name, const char *text) {
    files_write(*state, name, text, strlen(text));
}

static char *page_with(void **state, const char *answers) {
    size_t size;
    Err err = ERR_NONE;
    put(state, "train.jsonl", "{\"step\":1,\"loss\":1}\n");
    put(state, "answers.json", answers);
    if (report_write(*state, NULL, NULL, &err)) fail_msg("%s", err.text);
    return (char *)files_read(*state, "report.html", &size);
}

static bool shows(void **state, const char *answers, const char *part) {
    char *html = page_with(state, answers);
    bool found = strstr(html, part) != NULL;
    mem_free(html);
    return found;
}

#define PICTURE(size, pixels)                                                            \
    "{\"pictures\":[{\"label\":\"<a>\",\"class\":\"b\",\"share\":0.5,\"size\":" size     \
    ",\"pixels\":\"" pixels "\"}]}"

static void each_member_is_shown(void **state) {
    assert_true(shows(state, PICTURE("[1,1,2]", "00ff"), "A picture of class &lt;a&gt;"));
    assert_true(shows(state, PICTURE("[3,1,1]", "00ff10"), "data:image/bmp;base64,Qk"));
    const char *confusion =
        "{\"step\":3,\"split\":\"val\",\"confusion\":{\"classes\":[\"x\","
        "\"y\"],\"counts\":[[3,1],[0,4]]}}";
    assert_true(shows(state, confusion,
                      "<tr><th scope=row>x<td class=n>4<td class=n>75.0"
                      "<td class=n>100.0<td>y (1)</tr>"));
    assert_true(shows(state, confusion, "At step 3, split val."));
    assert_true(shows(state,
                      "{\"texts\":[{\"title\":\"T\",\"rows\":[[\"source\",\"<b>\"]]}]}",
                      "<th scope=row>source<td class=text>&lt;b&gt;</tr>"));
}

static void which_texts_these_are_is_said(void **state) {
    assert_true(shows(state,
                      "{\"note\":\"The 4 of <9>\",\"texts\":[{\"title\":\"T\","
                      "\"rows\":[[\"source\",\"b\"]]}]}",
                      "<p>The 4 of &lt;9&gt;</p>"));
    put(state, "eval.jsonl",
        "{\"step\":1,\"split\":\"test\",\"loss\":1,\"wer\":0.5,\"count\":2620,\"worst\":["
        "{"
        "\"id\":\"a-1\",\"reference\":\"one two three\",\"hypothesis\":\"one\","
        "\"errors\":2},{\"id\":\"a-2\",\"reference\":\"four\",\"hypothesis\":\"\","
        "\"errors\":1}]}\n");
    assert_true(shows(state, "{}",
                      "<p>The 2 of 2620 recordings of split test with the most wrong "
                      "words, the most first.</p>"));
    assert_true(shows(state, "{}", "a-1 (2 wrong words)"));
    assert_true(shows(state, "{}", "a-2 (1 wrong word)"));
}

static void what_is_no_answer_is_left_out_and_nothing_is_empty(void **state) {
    static const char *const BAD[] = {
        "",
        "[]",
        "{\"confusion\":{\"classes\":[\"a\"],\"counts\":[[1,2]]}}",
        "{\"confusion\":{\"classes\":[\"a\",3],\"counts\":[[1,2],[1,2]]}}",
        "{\"confusion\":{\"classes\":[],\"counts\":[]}}",
        "{\"texts\":{}}",
        "{\"pictures\":[]}"};
    for (size_t i = 0; i < COUNT(BAD); i++) {
        char *html = page_with(state, BAD[i]);
        if (strstr(html, "id=\"classes\"") || strstr(html, "id=\"texts\"") ||
            strstr(html, "id=\"predictions\""))
            fail_msg("%s has a section", BAD[i]);
        mem_free(html);
    }
    static const char *const PICTURES[] = {
        PICTURE("[1,1,2]", "00f"),  PICTURE("[1,1,2]", "00zz"),
        PICTURE("[1,1,2]", "00 1"), PICTURE("[2,1,1]", "00ff"),
        PICTURE("[1,65,1]", "00"),  PICTURE("[1,0,1]", ""),
        PICTURE("[1,-1,-1]", "00"), "{\"pictures\":[3,null,{}]}"};
    for (size_t i = 0; i < COUNT(PICTURES); i++)
        if (shows(state, PICTURES[i], "<img alt=\"A picture"))
            fail_msg("picture %zu is shown", i);
}

static void a_text_is_cut_between_characters(void **state) {
    (void)state;
    char long_text[400] = "", out[ANSWER_TEXT + 4];
    answer_cut("a\nb", out);
    assert_string_equal(out, "a b");
    for (size_t i = 0; i < 100; i++) strcat(long_text, "猫");
    answer_cut(long_text, out);
    assert_int_equal(strlen(out), ANSWER_TEXT / 3 * 3 + 3);
    assert_string_equal(out + strlen(out) - 6, "猫...");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(each_member_is_shown),
        FOLDER_TEST(which_texts_these_are_is_said),
        FOLDER_TEST(what_is_no_answer_is_left_out_and_nothing_is_empty),
        cmocka_unit_test(a_text_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
