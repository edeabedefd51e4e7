/* The library's door (include/steady.h): its numbers are the program's, every mistake of
 * a caller is a status, and a handle that failed can be freed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/steady.h"

/* Two tiny blocks; %s: the rest of [model] and other sections. */
#define SMALL                                                                            \
    "[train]\nsteps = 4\nbatch = 4\nthreads = 1\nseed = 3\n[optim]\nlr = 0.01\nclip = "  \
    "1\n"                                                                                \
    "[schedule]\nname = cosine\nwarmup_steps = 2\n[probe]\nevery = 1\n"
#define BODY "[model]\nwidth = 16\ndepth = 2\nheads = 2\nreparam = sigma\n"

/* One of each kind of task, on data that are built in. */
static const struct {
    const char *name, *text;
} RECIPES[] = {
    {"pictures", SMALL BODY "patch = 7\ndropout = 0.1\n[data]\nimage_size = 28\n"
                            "synthetic_count = 40\naugment = none\n"},
    {"language", "[task]\nkind = language\n" SMALL BODY "context = 16\n[data]\n"
                 "source = grammar\nsynthetic_count = 100\ntokens = char\n"},
    {"pairs", "[task]\nkind = translate\n" SMALL BODY "context = 64\n[data]\n"
              "source = numbers\nsynthetic_count = 40\ntokens = word\n"},
    {"speech", "[task]\nkind = transcribe\n" SMALL BODY "position = none\n[data]\n"
               "source = tones\nsynthetic_count = 16\n"},
};

enum { PICTURES, LANGUAGE, PAIRS, SPEECH, KINDS };

static steady_recipe *recipe_of(int kind) {
    steady_error error;
    steady_recipe *recipe;
    if (steady_recipe_parse(RECIPES[kind].text, &recipe, &error))
        fail_msg("%s: %s", RECIPES[kind].name, error.text);
    return recipe;
}

static steady_model *model_of(int kind) {
    steady_error error;
    steady_model *model;
    steady_recipe *recipe = recipe_of(kind);
    if (steady_model_new(recipe, NULL, NULL, &model, &error))
        fail_msg("%s: %s", RECIPES[kind].name, error.text);
    steady_recipe_free(recipe);
    return model;
}

/* ---- the program's numbers ---- */

static FILE *train_with_program(int kind) {
    const char *program = getenv("STEADY"), *tmp = getenv("TMP");
    char path[400], command[2500], line[2000] = "";
    if (!program) skip();
    snprintf(path, sizeof path, "%.300s/%s", tmp ? tmp : "/tmp", RECIPES[kind].name);
    snprintf(command, sizeof command, "%s.ini", path);
    FILE *file = fopen(command, "w");
    assert_non_null(file);
    fputs(RECIPES[kind].text, file);
    fclose(file);
    snprintf(command, sizeof command,
             "rm -rf %s && %.400s train %s.ini --no-report --out %s 2>&1", path, program,
             path, path);
    FILE *said = popen(command, "r");
    while (fgets(line, sizeof line, said)) continue;
    if (pclose(said)) fail_msg("%s: %s", command, line);
    snprintf(command, sizeof command, "%s/train.jsonl", path);
    return fopen(command, "r");
}

/* A log has nine digits, which give a float back. */
static void same_number(const char *row, const char *name, double ours) {
    char member[40], theirs[40], text[40];
    snprintf(member, sizeof member, "\"%s\":", name);
    const char *at = strstr(row, member);
    assert_non_null(at);
    snprintf(theirs, sizeof theirs, "%.9g", strtod(at + strlen(member), NULL));
    snprintf(text, sizeof text, "%.9g", ours);
    if (strcmp(text, theirs)) fail_msg("%s = %s is not in %s", name, text, row);
}

static void steps_are_the_programs_to_the_bit(void **state) {
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        FILE *log = train_with_program(kind);
        assert_non_null(log);
        steady_model *model = model_of(kind);
        steady_step step;
        char row[1000];
        for (size_t n = 1; n <= steady_model_steps(model); n++) {
            steady_error error;
            if (steady_model_step(model, &step, &error)) fail_msg("%s", error.text);
            assert_non_null(fgets(row, sizeof row, log));
            same_number(row, "step", (double)step.number);
            same_number(row, "epoch", step.epoch);
            same_number(row, "loss", step.loss);
            same_number(row, "lr", step.learning_rate);
            same_number(row, "grad_norm", step.gradient_norm);
        }
        assert_null(fgets(row, sizeof row, log));
        fclose(log);
        steady_model_free(model);
    }
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(steps_are_the_programs_to_the_bit),
    };
    return cmocka_run_group_tests_name("library", cases, NULL, NULL);
}
