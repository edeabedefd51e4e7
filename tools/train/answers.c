/* answers: what the model says to examples after an evaluation (tools/task/answers.h). */
#include "tools/train/parts.h"

json_t *trainer_answers(Trainer *t, Split split) {
    ForwardMode mode = course_mode(t->task);
    mode.temperature = t->at.temperature;
    if (!ranks_lead(t->ranks) || !t->task->ops->answers) return NULL;
    return t->task->ops->answers(t->task, t->step.tape, &mode, split);
}

/* A file that cannot be written costs a note, not the run. */
void trainer_keep_answers(Trainer *t, Split split, json_t *answers) {
    Err why = ERR_NONE;
    size_t i;
    const json_t *line;
    if (!answers) return;
    json_array_foreach(json_object_get(answers, "log"), i, line)
        progress_say(&t->progress, "%s", json_string_value(line));
    json_object_del(answers, "log");
    json_object_set_new(answers, "step", json_integer((json_int_t)t->at.step));
    json_object_set_new(answers, "split", json_string(split_name(split)));
    if (rundir_save_json(t->dir, "answers.json", answers, JSON_COMPACT, &why))
        progress_say(&t->progress, "steady: note: %s", why.text);
}
