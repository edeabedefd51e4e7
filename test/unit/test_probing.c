/* What steady probe makes of its numbers: rows read back, tables, sentences, figures. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tools/probe/figure.h"
#include "tools/probe/figure_parts.h"
#include "tools/probe/print.h"
#include "tools/probe/reading.h"
#include "tools/probe/table.h"

/* Two sites of two heads, a layer in each, an embedding; head 1 of block 1 unknown. */
static const char ROW[] =
    "{'step':7,'checkpoint':'runs/x/c','split':'val','sample':3,'loss':2.5,'grad_norm':5,"
    "'temperature':1,'attention':["
    "{'site':'blocks.0.attn','entropy':[2,1.5],'bound':[0.5,1.25],'sec':[0.3,0.9],"
    "'stable_rank':[4,1.5],'uniform':2.0,'keys':8,'max_logit':3,'rank':5},"
    "{'site':'blocks.1.attn','entropy':[0.1,null],'bound':[0.01,0],'sec':[0.5,0.5],"
    "'stable_rank':[2,2],'uniform':2.0,'keys':8,'max_logit':90,'rank':7}],"
    "'weights':[{'name':'blocks.0.attn.qkv','sigma':1.5,'gamma':null},"
    "{'name':'blocks.1.attn.qkv','sigma':40,'gamma':2}],'tensors':["
    "{'name':'embed.weight','shape':[57,8],'norm':3,'grad_norm':4,'grad_inf':0.5},"
    "{'name':'blocks.0.attn.qkv.weight','shape':[24,8],'norm':3,'grad_norm':3,"
    "'grad_inf':0.25},"
    "{'name':'blocks.1.attn.qkv.weight','shape':[24,8],'norm':3,'grad_norm':null,"
    "'grad_inf':null},"
    "{'name':'blocks.1.attn.qkv.bias','shape':[24],'norm':0,'grad_norm':1e-9,"
    "'grad_inf':0}]}";

static json_t *row_of(const char *from, const char *to) {
    char text[2000];
    text_format(text, sizeof text, "%s", ROW);
    for (char *at = text; *at; at++)
        if (*at == '\'') *at = '"';
    if (from) {
        char changed[2000], *at = strstr(text, from);
        assert_non_null(at);
        text_format(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, to,
                    at + strlen(from));
        memcpy(text, changed, sizeof text);
    }
    json_t *row = json_loads(text, 0, NULL);
    assert_non_null(row);
    return row;
}

static char *written(void (*print)(const Probed *, FILE *), const char *from,
                     const char *to) {
    static char text[8000];
    json_t *row = row_of(from, to);
    Probed *p = probed_read(row);
    FILE *out = fmemopen(text, sizeof text, "w");
    print(p, out);
    fclose(out);
    probed_free(p);
    json_decref(row);
    return text;
}

/* ---- rows ---- */

static void a_row_is_read_and_what_it_lacks_is_unknown(void **state) {
    (void)state;
    json_t *row = row_of(NULL, NULL);
    Probed *p = probed_read(row);
    assert_int_equal(p->step, 7);
    assert_int_equal(p->sites, 2);
    assert_true(p->site[0].entropy[1] == 1.5);
    assert_true(isnan(p->site[1].entropy[1]));
    assert_true(p->site[1].value[SITE_RANK] == 7 && isnan(p->site[1].value[SITE_INPUT]));
    assert_true(probed_gap(&p->site[0], 1) == 0.25);
    assert_true(isnan(p->layer[0].value[LAYER_GAMMA]));
    assert_ptr_equal(p->tensor[1].layer, &p->layer[0]);
    assert_null(p->tensor[0].layer);
    assert_null(p->tensor[3].layer);
    probed_free(p);
    json_decref(row);
    row = json_pack("{s:i, s:[{s:s}], s:[{}]}", "step", 1, "attention", "site", "x",
                    "tensors");
    p = probed_read(row);
    assert_int_equal(p->site[0].heads, 0);
    assert_true(isnan(p->loss) && p->layers == 0);
    probed_free(p);
    json_decref(row);
}

/* ---- tables ---- */

static void numbers_have_so_many_digits(void **state) {
    (void)state;
    static const struct {
        double x;
        int digits;
        const char *text;
    } CASES[] = {{0, 3, "0"},           {NAN, 3, "-"},          {1, 3, "1.00"},
                 {9.876, 3, "9.88"},    {123.4, 3, "123"},      {12345, 3, "12345"},
                 {0.0123, 3, "0.0123"}, {-0.5, 2, "-0.50"},     {0.1, 2, "0.10"},
                 {0.001, 2, "0.0010"},  {2.5e-7, 3, "2.5e-07"}, {3e8, 3, "3.0e+08"}};
    for (size_t i = 0; i < COUNT(CASES); i++) {
        char text[32];
        table_number(text, CASES[i].digits, CASES[i].x);
        assert_string_equal(text, CASES[i].text);
    }
}

static void columns_are_aligned_and_empty_ones_left_out(void **state) {
    (void)state;
    char text[400] = "";
    Table t = {0};
    table_heading(&t, "name|a|none|σ");
    table_add(&t, "long name");
    table_add_number(&t, 2, 1.5);
    table_add_number(&t, 2, NAN);
    table_add_number(&t, 2, 10);
    table_end_row(&t);
    table_add(&t, "x");
    table_add(&t, "%s", "");
    table_add(&t, "-");
    table_add_number(&t, 2, NAN);
    table_end_row(&t);
    FILE *out = fmemopen(text, sizeof text, "w");
    table_print(&t, out);
    fclose(out);
    table_free(&t);
    assert_string_equal(text, "name         a   σ\n"
                              "long name  1.5  10\n"
                              "x                -\n");
}

/* ---- sentences ---- */

static void read_it(const Probed *p, FILE *out) {
    TextBuffer text = {0};
    reading_of(p, &text);
    fputs(text.text, out);
    text_free(&text);
}

static void says(const char *from, const char *to, const char *sentence, bool wanted) {
    const char *text = written(read_it, from, to);
    if (!strstr(text, sentence) == wanted)
        fail_msg("\"%s\" is %s in:\n%s", sentence, wanted ? "not" : "", text);
}

static void the_bound_is_read(void **state) {
    (void)state;
    says(NULL, NULL,
         "No head is below its bound; the smallest gap is 0.0900 nats, at "
         "blocks.1.attn head 0",
         true);
    says("1.25", "1.75", "1 of 3 heads are below the bound of Theorem 3.1", true);
    says("1.25", "1.75", "blocks.0.attn head 1 by -0.250", true);
    says("1.25", "1.50001", "No head is below", true); /* rounding */
    says("\"bound\":[0.5,1.25]", "\"other\":[0]", "0.0900 nats", true);
}

static void collapse_is_read(void **state) {
    (void)state;
    says(NULL, NULL,
         "blocks.1.attn: entropy collapse (5 % of uniform), but no rank collapse "
         "(output of rank 7.00 of 8): queries attend to different keys\n",
         true);
    says("\"rank\":7", "\"rank\":1.2",
         "rank 1.20 of 8): queries attend to the same keys\n", true);
    says("\"rank\":7", "\"rank\":1.2,\"common\":0.97",
         "rank 1.20 of 8): its input tokens are alike (97 % of ‖x‖² in common)\n", true);
    says("\"rank\":7", "\"input\":3", "entropy collapse (5 % of uniform)\n", true);
    says(NULL, NULL, "No entropy collapse", false);
    says("[0.1,null]", "[1.0,null]",
         "No entropy collapse: the lowest site, blocks.1.attn, "
         "has 50 % of uniform",
         true);
}

static void rank_collapse_is_told_from_that_of_entropy(void **state) {
    (void)state;
    static const char WITHOUT[] = "Rank collapse without entropy collapse";
    says(NULL, NULL, WITHOUT, false);
    says("\"rank\":7", "\"rank\":1.2", WITHOUT, false);
    says("\"rank\":5", "\"rank\":1.02",
         "Rank collapse without entropy collapse: at 1 of 2 sites all queries get nearly "
         "the same output (lowest: blocks.0.attn, rank 1.02 of 8)\n",
         true);
    says("\"rank\":5", "\"rank\":1.02,\"memory\":4", "blocks.0.attn, rank 1.02)\n", true);
    says("\"keys\":8,\"max_logit\":3,\"rank\":5",
         "\"keys\":1,\"max_logit\":3,\"rank\":1.0", WITHOUT, false);
}

static void gradients_are_read(void **state) {
    (void)state;
    says(NULL, NULL, "Largest gradient: embed.weight, 64 % of the squared norm", true);
    says("\"loss\":2.5", "\"loss\":null", "The loss is not finite", true);
    says("\"grad_norm\":5", "\"grad_norm\":null", "The gradient is not finite\n", true);
    says("\"loss\":2.5",
         "\"loss\":null,\"fault\":{\"op\":\"gelu\",\"scope\":\"blocks.0\"}",
         "The loss is not finite: first in op gelu at blocks.0\n", true);
    says(NULL, NULL, "not finite", false);
}

static void print_short(const Probed *p, FILE *out) {
    probe_print(p, &(PrintOptions){.of = "runs/x"}, out);
}

static void weights_from_elsewhere_are_named(void **state) {
    char text[PROBED_WEIGHTS];
    (void)state;
    const struct {
        const char *file, *wanted;
        size_t step;
    } cases[] = {{"runs/x/c", "runs/x, step 7", 7},
                 {"runs/xy/c", "runs/x, runs/xy/c, step 7", 7},
                 {"m.safetensors", "runs/x, m.safetensors", 0},
                 {NULL, "runs/x, initial weights", 0}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        Probed p = {.checkpoint = cases[i].file, .step = cases[i].step};
        probed_weights(&p, "runs/x", text);
        assert_string_equal(text, cases[i].wanted);
    }
}

static void print_long(const Probed *p, FILE *out) {
    probe_print(p, &(PrintOptions){.of = "runs/x", .heads = true, .tensors = true}, out);
}

static void a_table_is_short_unless_all_is_asked_for(void **state) {
    (void)state;
    const char *text = written(print_short, NULL, NULL);
    assert_non_null(
        strstr(text, "runs/x, step 7: 3 examples of the val split, loss 2.500"));
    assert_non_null(strstr(text, "\nblocks.*.attn.qkv.weight       2  24 x 8"));
    assert_non_null(strstr(text, "  1.50 - 40.0    2.00 "));
    assert_null(strstr(text, "\nblocks.1.attn.qkv.bias"));
    text = written(print_long, NULL, NULL);
    assert_non_null(strstr(text, "\nblocks.1.attn.qkv.bias"));
    assert_non_null(strstr(text, "\nblocks.0.attn     0"));
    assert_non_null(strstr(text, "\n                  1"));
}

/* ---- figures ---- */

static void labels_are_short(void **state) {
    (void)state;
    static const char *const CASES[][2] = {
        {"blocks.0.attn.qkv.weight", "qkv"},
        {"encoder.embed.weight", "embed"},
        {"decoder.blocks.11.cross.proj.weight", "proj"},
        {"patch_embed.proj.weight", "patch_embed.proj"},
        {"pos_embed", "pos_embed"}};
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_string_equal(figure_label(CASES[i][0]).text, CASES[i][1]);
}

static void a_figure_has_what_the_row_has(void **state) {
    (void)state;
    json_t *row = row_of(NULL, NULL), *later = row_of("\"step\":7", "\"step\":9");
    Probed *p[] = {probed_read(row), probed_read(later)};
    for (size_t count = 1; count <= 2; count++) {
        size_t size;
        Err err = ERR_NONE;
        Chart *chart = probe_figure(p, count, NULL, "a title");
        char *svg = chart_render(chart, ".svg", &size, &err);
        assert_non_null(svg);
        assert_true(size > 1000);
        mem_free(svg);
        chart_free(chart);
    }
    for (size_t i = 0; i < 2; i++) probed_free(p[i]);
    json_decref(row);
    json_decref(later);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_read_and_what_it_lacks_is_unknown),
        cmocka_unit_test(numbers_have_so_many_digits),
        cmocka_unit_test(columns_are_aligned_and_empty_ones_left_out),
        cmocka_unit_test(the_bound_is_read),
        cmocka_unit_test(collapse_is_read),
        cmocka_unit_test(rank_collapse_is_told_from_that_of_entropy),
        cmocka_unit_test(gradients_are_read),
        cmocka_unit_test(a_table_is_short_unless_all_is_asked_for),
        cmocka_unit_test(labels_are_short),
        cmocka_unit_test(a_figure_has_what_the_row_has),
        cmocka_unit_test(weights_from_elsewhere_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
