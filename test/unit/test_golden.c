/* golden: runs of the program agree with a second implementation, step by step.
 *
 * test/golden/vit/golden.json holds what PyTorch (float64) computed for each recipe of
 * test/golden/vit/cases; test/golden/README.md says how.  A case trains ten steps with
 * the program and compares its logs.  Names of cases as arguments (globs) run only those:
 *
 *     STEADY=build/steady build/test/unit/test_golden 'lars-*'
 *
 * Started from the top directory, as the recipes' paths are. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define GOLDEN "test/golden/vit"

enum { STEPS = 10, REPORTED_MAX = 12 };

/* The program works in float: the reference's own float32 run stays within 3e-6 (loss),
 * 1.3e-5 (entropy) and 1.6e-5 (gradient) of these values, so what is left is room for
 * other orders of summation; each slip in a formula that was tried moves some case by
 * more.  Logs print losses and rates with nine digits. */
typedef struct Tolerance {
    double relative, absolute;
} Tolerance;

static const Tolerance LOSS = {2e-4, 0}, LR = {1e-8, 0}, GRAD_NORM = {1e-3, 0},
                       ENTROPY = {0, 1e-4}, MAX_LOGIT = {1e-3, 1e-4}, SIGMA = {1e-3, 0},
                       GAMMA = {1e-4, 0}, GRAD_INF = {1e-3, 0}, TOP1 = {0, 1e-6};

static const char *steady;   /* the program */
static char folder[512];     /* where runs go */
static json_t *golden;
static size_t mismatches;    /* of the case that runs */

/* ---- comparing ---- */

__attribute__((format(printf, 1, 2))) static void report(const char *format, ...) {
    char line[500];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (mismatches++ < REPORTED_MAX) print_error("%s\n", line);
    if (mismatches == REPORTED_MAX) print_error("... and more\n");
}

static void compare(const json_t *seen, const json_t *wanted, Tolerance t, size_t step,
                    const char *place, const char *what) {
    double b = json_number_value(wanted), room = t.absolute + t.relative * fabs(b);
    if (!json_is_number(seen))
        report("step %zu %s: no %s, wanted %.9g", step, place, what, b);
    else if (!(fabs(json_number_value(seen) - b) <= room))
        report("step %zu %s: %s is %.9g, wanted %.9g, apart %.1e, allowed %.1e", step,
               place, what, json_number_value(seen), b, fabs(json_number_value(seen) - b),
               room);
}

/* The object of `list` whose `key` is `name`, or NULL. */
static const json_t *find_named(const json_t *list, const char *key, const char *name) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const char *text = json_string_value(json_object_get(item, key));
        if (text && !strcmp(text, name)) return item;
    }
    return NULL;
}

/* ---- reading logs ---- */

/* Rows of a file with one JSON object a line, as an array; broken lines are reported. */
static json_t *read_rows(const char *run, const char *name) {
    char path[800], *line = NULL;
    size_t room = 0, number = 0;
    snprintf(path, sizeof path, "%s/%s", run, name);
    json_t *rows = json_array();
    FILE *file = fopen(path, "r");
    if (!file) report("%s: %s", path, strerror(errno));
    while (file && getline(&line, &room, file) >= 0) {
        json_error_t error;
        json_t *row = json_loads(line, JSON_REJECT_DUPLICATES, &error);
        number++;
        if (row) json_array_append_new(rows, row);
        else report("%s:%zu: %s", path, number, error.text);
    }
    if (file) fclose(file);
    free(line);
    return rows;
}

/* True when the rows are those of steps 1 ... STEPS. */
static bool has_steps(const json_t *rows, const char *name) {
    size_t count = json_array_size(rows);
    if (count != STEPS) {
        report("%s has %zu rows, wanted %d", name, count, STEPS);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        if (json_integer_value(json_object_get(json_array_get(rows, i), "step")) !=
            (json_int_t)i + 1) {
            report("row %zu of %s is not of step %zu", i + 1, name, i + 1);
            return false;
        }
    return true;
}

/* ---- one log each ---- */

static void check_train(const char *run, const json_t *wanted) {
    json_t *rows = read_rows(run, "train.jsonl");
    const struct {
        const char *key;
        Tolerance tolerance;
    } columns[] = {{"loss", LOSS}, {"lr", LR}, {"grad_norm", GRAD_NORM}};
    for (size_t i = 0; has_steps(rows, "train.jsonl") && i < STEPS; i++)
        for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
            const char *key = columns[c].key;
            compare(json_object_get(json_array_get(rows, i), key),
                    json_array_get(json_object_get(wanted, key), i), columns[c].tolerance,
                    i + 1, "train.jsonl", key);
        }
    json_decref(rows);
}

static void check_sites(const json_t *row, const json_t *wanted, size_t i) {
    const json_t *attention = json_object_get(row, "attention");
    const json_t *logits = json_object_get(wanted, "max_logit");
    const char *name;
    json_t *entropies;
    json_object_foreach(json_object_get(wanted, "entropy"), name, entropies) {
        const json_t *site = find_named(attention, "site", name);
        const json_t *heads = json_array_get(entropies, i);
        const json_t *seen = json_object_get(site, "entropy");
        if (json_array_size(seen) != json_array_size(heads))
            report("step %zu %s: %zu heads, wanted %zu", i + 1, name,
                   json_array_size(seen), json_array_size(heads));
        for (size_t h = 0; h < json_array_size(heads); h++)
            compare(json_array_get(seen, h), json_array_get(heads, h), ENTROPY, i + 1,
                    name, "entropy");
        const json_t *largest = json_array_get(json_object_get(logits, name), i);
        if (largest) /* only the first step's where later ones depend on rounding */
            compare(json_object_get(site, "max_logit"), largest, MAX_LOGIT, i + 1, name,
                    "max_logit");
    }
}

static void check_weights(const json_t *row, const json_t *wanted, size_t i) {
    const json_t *weights = json_object_get(row, "weights");
    const char *name;
    json_t *values;
    json_object_foreach(json_object_get(wanted, "weights"), name, values) {
        const json_t *weight = find_named(weights, "name", name);
        const json_t *gamma = json_object_get(values, "gamma");
        compare(json_object_get(weight, "sigma"),
                json_array_get(json_object_get(values, "sigma"), i), SIGMA, i + 1, name,
                "sigma");
        if (gamma)
            compare(json_object_get(weight, "gamma"), json_array_get(gamma, i), GAMMA,
                    i + 1, name, "gamma");
        if (i == 0)
            compare(json_object_get(weight, "grad_inf"),
                    json_object_get(values, "grad_inf"), GRAD_INF, 1, name, "grad_inf");
    }
}

static void check_probe(const char *run, const json_t *wanted) {
    json_t *rows = read_rows(run, "probe.jsonl");
    for (size_t i = 0; has_steps(rows, "probe.jsonl") && i < STEPS; i++) {
        check_sites(json_array_get(rows, i), wanted, i);
        check_weights(json_array_get(rows, i), wanted, i);
    }
    json_decref(rows);
}

static void check_score(const json_t *row, const json_t *wanted, const char *loss,
                        const char *top1) {
    compare(json_object_get(row, loss), json_object_get(wanted, "loss"), LOSS, STEPS,
            "eval.jsonl, test split", loss);
    compare(json_object_get(row, top1), json_object_get(wanted, "top1"), TOP1, STEPS,
            "eval.jsonl, test split", top1);
}

/* The evaluation of the test split after the last step. */
static void check_eval(const char *run, const json_t *wanted) {
    json_t *rows = read_rows(run, "eval.jsonl");
    const json_t *last = NULL, *averaged = json_object_get(wanted, "eval_ema");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const char *split = json_string_value(json_object_get(row, "split"));
        if (split && !strcmp(split, "test") &&
            json_integer_value(json_object_get(row, "step")) == STEPS)
            last = row;
    }
    check_score(last, json_object_get(wanted, "eval"), "loss", "top1");
    if (averaged) check_score(last, averaged, "ema_loss", "ema_top1");
    json_decref(rows);
}

/* ---- running the program ---- */

static void print_file(const char *path) {
    char line[300];
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) print_error("    %s", line);
    if (file) fclose(file);
}

/* Exit status of `steady train RECIPE --out RUN`, which prints into the file `output`. */
static int train(const char *recipe, const char *run, const char *output) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int file = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0644);
        if (file >= 0) {
            dup2(file, STDOUT_FILENO);
            dup2(file, STDERR_FILENO);
        }
        execl(steady, steady, "train", recipe, "--out", run, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    while (waitpid(child, &status, 0) < 0) assert_int_equal(errno, EINTR);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void run_agrees_with_the_reference(void **state) {
    const char *name = *state;
    const json_t *wanted = json_object_get(golden, name);
    char recipe[300], run[600], output[700];
    snprintf(recipe, sizeof recipe, GOLDEN "/cases/%s.ini", name);
    snprintf(run, sizeof run, "%s/%s", folder, name);
    snprintf(output, sizeof output, "%s.out", run);
    mismatches = 0;
    int status = train(recipe, run, output);
    if (status) {
        report("steady train %s: exit status %d", recipe, status);
        print_file(output);
    } else {
        check_train(run, wanted);
        check_probe(run, wanted);
        check_eval(run, wanted);
    }
    if (mismatches) fail_msg("%s: %zu values differ", name, mismatches);
}

/* ---- the list of cases ---- */

static int remove_entry(const char *path, const struct stat *info, int kind,
                        struct FTW *where) {
    (void)info, (void)kind, (void)where;
    return remove(path);
}

static bool find_program(void) {
    steady = getenv("STEADY");
    if (!steady || !*steady) steady = "build/steady";
    return access(steady, F_OK) == 0;
}

int main(int argc, char **argv) {
    if (!find_program()) {
        printf("skip golden %s is not built\n", steady);
        return 0;
    }
    json_error_t error;
    golden = json_load_file(GOLDEN "/golden.json", JSON_REJECT_DUPLICATES, &error);
    if (!golden) {
        fprintf(stderr, GOLDEN "/golden.json: %s (start in the top directory)\n",
                error.text);
        return 1;
    }
    const char *base = getenv("TMP");
    snprintf(folder, sizeof folder, "%s/golden.XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(folder)) {
        perror(folder);
        return 1;
    }
    size_t count = json_object_size(golden), i = 0;
    struct CMUnitTest *tests = calloc(count, sizeof *tests);
    if (!tests) return 1;
    const char *name;
    json_t *wanted;
    json_object_foreach(golden, name, wanted) {
        tests[i++] = (struct CMUnitTest){.name = name,
                                         .test_func = run_agrees_with_the_reference,
                                         .initial_state = (void *)(uintptr_t)name};
    }
    int failed = 0;
    if (argc < 2) failed = _cmocka_run_group_tests("golden", tests, count, NULL, NULL);
    for (int a = 1; a < argc; a++) {
        cmocka_set_test_filter(argv[a]);
        failed += _cmocka_run_group_tests("golden", tests, count, NULL, NULL);
    }
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(tests);
    json_decref(golden);
    return failed != 0;
}
