/* Translates lines of stdin with a run of the program:
 *
 *     steady train numbers-pre --out runs/numbers
 *     cc translate.c $(pkg-config --cflags --libs steady)
 *     ./a.out runs/numbers <lines */
#include <steady.h>

#include <stdio.h>
#include <string.h>

static void hear(void *context, const char *line) {
    (void)context;
    fprintf(stderr, "%s\n", line);
}

int main(int argc, char **argv) {
    steady_error error;
    steady_model *model = NULL;
    steady_listener listener = {hear, NULL};
    char line[4096], *translation;
    if (argc < 2)
        return fprintf(stderr, "usage: %s RUN [CHECKPOINT] <lines\n", argv[0]),
               STEADY_USAGE;
    steady_model_open(argv[1], argc > 2 ? argv[2] : NULL, &listener, &model, &error);
    while (!error.status && fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        if (steady_model_translate(model, line, &translation, &error)) break;
        puts(translation);
        steady_text_free(translation);
    }
    if (error.status) fprintf(stderr, "%s\n", error.text);
    steady_model_free(model);
    return error.status;
}
