/* The program `steady`: finds the command and runs it. */
#include <stdio.h>
#include <string.h>

#include "tools/commands.h"
#include "tools/program/command.h"
#include "tools/program/launch.h"
#include "tools/program/nearest.h"
#include "tools/program/output.h"
#include "tools/program/start.h"
#include "tools/program/stop.h"

static const struct Command {
    const char *name;
    int (*run)(int argc, char **argv);
    bool computes; /* matrix products, which have to be right */
    bool resumes;  /* what a signal has ended: exit 75 from the start */
    const char *sentence;
} COMMANDS[] = {
    {"train", train_main, true, true, "train from a recipe, or resume a run"},
    {"eval", eval_main, true, false, "score a run's checkpoint: one JSON object"},
    {"predict", predict_main, true, false, "classify, generate, translate or transcribe"},
    {"sweep", sweep_main, true, true, "a grid over recipe keys: table and figure"},
    {"plot", plot_main, false, false,
     "losses, entropies, norms of one run or several, as a picture"},
    {"export", export_main, true, false,
     "plain weights for other programs, scales folded in"},
    {"doctor", doctor_main, false, false,
     "what this machine offers, and what is wrong with its set-up"},
    {"bench", bench_main, true, false,
     "speed of kernels, ops and steps beside this machine's GEMM"},
    {"recipes", recipes_main, false, false,
     "what can be run; `steady recipes NAME` prints one"},
};

static void usage(FILE *out) {
    fprintf(out,
            "steady %s - trains transformers on CPUs without letting them blow up\n\n"
            "usage: steady COMMAND [...]      (steady COMMAND -h explains it)\n\n",
            STEADY_VERSION);
    for (size_t i = 0; i < COUNT(COMMANDS); i++)
        fprintf(out, "  %-8s  %s\n", COMMANDS[i].name, COMMANDS[i].sentence);
    fprintf(out, "\nQuick start:  steady train demo --out runs/demo\n");
}

/* Commands that are planned: they are words that are known, not slips of the keyboard. */
static bool is_planned(const char *word) {
    static const char *const PLANNED[] = {"probe"};
    for (size_t i = 0; i < COUNT(PLANNED); i++)
        if (!strcmp(word, PLANNED[i])) return true;
    return false;
}

static int unknown(const char *word) {
    if (is_planned(word)) {
        fprintf(stderr,
                "steady: the command %s is not built in yet; -h lists those that are\n",
                word);
        return FAIL_USAGE;
    }
    const char *names[COUNT(COMMANDS) + 1] = {0};
    for (size_t i = 0; i < COUNT(COMMANDS); i++) names[i] = COMMANDS[i].name;
    fprintf(stderr, "steady: there is no command %s; did you mean %s?\n", word,
            nearest_word(word, names));
    return FAIL_USAGE;
}

/* Under mpirun -n 2 the others would do the same work twice, on the same files. */
static bool is_alone(const char *command, Err *err) {
    Launch launch = launch_read();
    if (launch.count < 2 || !strcmp(command, "train")) return true;
    err_set(err, FAIL_USAGE,
            "a launcher started several processes; %s wants to be one (only train can be "
            "more)",
            command);
    return false;
}

static int run_one(const struct Command *command, int argc, char **argv) {
    Err err = ERR_NONE;
    bool asked = argc > 1 && is_help(argv[1]);
    if (!is_alone(argv[0], &err)) return launch_fail(argv[0], &err);
    if (command->computes && !asked && start_computing(&err))
        return launch_fail(argv[0], &err);
    return command->run(argc, argv);
}

static const struct Command *find_command(const char *word) {
    for (size_t i = 0; i < COUNT(COMMANDS); i++)
        if (!strcmp(word, COMMANDS[i].name)) return &COMMANDS[i];
    return NULL;
}

static int run_command(const struct Command *command, int argc, char **argv) {
    if (argc < 2) return usage(stderr), FAIL_USAGE;
    if (is_help(argv[1]) || !strcmp(argv[1], "help")) return usage(stdout), OK;
    if (!strcmp(argv[1], "--version")) return printf("steady %s\n", STEADY_VERSION), OK;
    return command ? run_one(command, argc - 1, argv + 1) : unknown(argv[1]);
}

int main(int argc, char **argv) {
    const struct Command *command = argc < 2 ? NULL : find_command(argv[1]);
    output_begin();
    if (command && command->resumes) stop_at_once(command->name);
    stop_forget_inherited();
    start_program(argc, argv);
    int code = run_command(command, argc, argv);
    return output_end(argc < 2 ? "" : argv[1], code);
}
