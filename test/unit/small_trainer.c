#include "small_trainer.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

int silence_begin(const char *path) {
    int kept = dup(2), file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(kept >= 0 && file >= 0);
    fflush(stderr);
    dup2(file, 2);
    close(file);
    return kept;
}

void silence_end(int kept) {
    fflush(stderr);
    dup2(kept, 2);
    close(kept);
}

Recipe small_trainer_recipe(const char *text, const char *words) {
    Recipe recipe = recipe_default();
    Err err = ERR_NONE;
    char *copy = mem_strdup(words), *rest = copy, *word;
    if (recipe_read(&recipe, "tiny", text, &err)) fail_msg("%s", err.text);
    while ((word = strsep(&rest, " ")))
        if (*word && recipe_set(&recipe, word, &err)) fail_msg("%s", err.text);
    mem_free(copy);
    if (recipe_check(&recipe, &err)) fail_msg("%s", err.text);
    return recipe;
}

void small_trainer_run(Trainer *t, const Recipe *recipe, const Recipe *was,
                       const char *dir) {
    Err err = ERR_NONE;
    int kept = silence_begin("/dev/null");
    bool failed =
        trainer_open(t, recipe, was, dir, NULL, false, &err) || trainer_run(t, &err);
    silence_end(kept);
    if (failed) fail_msg("%s", err.text);
}
