/* predict: what `steady predict` is asked for, and what a kind of task answers with: each
 * has a TaskPredict, in tools/task/NAME/predict.c. */
#ifndef STEADY_PREDICT_H
#define STEADY_PREDICT_H

#include "tools/task/task.h"

typedef struct PredictOptions {
    char **inputs; /* files and folders */
    size_t input_count;
    bool logits;
    size_t limit; /* inputs; 0: all */
    size_t top;   /* classes of each picture; 0: one */
    /* language */
    const char *prompt; /* NULL: none */
    size_t tokens;      /* to sample */
    double temperature;
    size_t top_k; /* 0: all */
    size_t seed;
    /* translation */
    size_t beam; /* 0: the recipe's */
    size_t nbest;
} PredictOptions;

/* The trained model that answers. */
typedef struct PredictRun {
    Task *task; /* bare (task_open_bare) */
    Tape *tape;
    ForwardMode mode; /* of evaluation */
} PredictRun;

/* ---- a kind's own ---- */

/* Sets of options. */
enum {
    PREDICT_SAMPLES = 1,  /* --prompt, --tokens, ...: what continues a text */
    PREDICT_SEARCHES = 2, /* --beam, --nbest */
    PREDICT_LIMITS = 4,   /* --limit */
    PREDICT_RANKS = 8,    /* --top: the most likely of several classes */
};

typedef struct TaskPredict {
    /* Prints what the model answers to the options' inputs, or without them to what the
     * kind has for that case: the test split, stdin, a prompt. */
    Status (*answer)(const PredictOptions *options, const PredictRun *run, Err *err);
    const char *input; /* what it takes, for hints: "PICTURE" */
    /* how a single text is given where --prompt does not: "for one sentence: ..."; or
     * NULL */
    const char *single;
    bool split; /* without inputs: the test split, or val where there is none */
    /* The options that are used, without inputs, with them, and with them and --logits
     * (all zero: as without it); others are refused in the name of "task.kind = NAME", or
     * of `name`. */
    struct {
        unsigned options;
        const char *name;
    } use[3];
} TaskPredict;

#define TASK_PREDICT(KIND, name, examples, heading)                                      \
    extern const TaskPredict name##_predict;
TASK_LIST(TASK_PREDICT)
#undef TASK_PREDICT

const TaskPredict *task_predict(TaskKind kind); /* of the table (table.c) */

/* ---- what answers share ---- */

/* A line of a text that was given, without its end. */
typedef struct InputLine {
    const char *where; /* the file */
    size_t number;     /* from 1 */
    const char *text;  /* not terminated */
    size_t length;
    bool last; /* of those that are read */
} InputLine;

char *predict_line_copy(const InputLine *line); /* terminated; mem_free */

typedef Status PredictLine(void *context, const InputLine *line, Err *err);

/* Calls `answer` for each line of a file, the first `limit` of them (0: all), until one
 * fails or the output does.  What is odd in the file is said on stderr.  "-" is standard
 * input. */
Status predict_lines(const char *path, size_t limit, PredictLine *answer, void *context,
                     Err *err);

json_t *predict_numbers(const real *x, size_t count); /* as an array */
void predict_print(json_t *row); /* on a line of its own; taken over */

#endif
