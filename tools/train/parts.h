/* parts: what the files of the trainer share.  A step's rows and its line of progress are
 * in log.c, the warning about collapse in collapse.c, that about large updates in
 * moves.c, rows of events in event.c, the rate that goes by a score in plateau.c, the way
 * to the first step in open.c, the checkpoint it goes on from in newest.c, what the run
 * needs of memory in memory.c. */
#ifndef STEADY_TRAIN_PARTS_H
#define STEADY_TRAIN_PARTS_H

#include "tools/train/trainer.h"

/* What the forward pass of `step` is to measure; the same on all ranks. */
MeasureLevel trainer_measures(const Trainer *trainer, size_t step);

/* Before the update of `step`: what a probe needs of the weights as they are, and what
 * the optimizer is to measure of the update. */
void trainer_look(Trainer *trainer, size_t step);

/* ---- precision.c ---- */

/* Sets task->way, on all ranks; `step`: of the checkpoint that the run goes on from. */
void trainer_choose_precision(Trainer *trainer, size_t step);
/* What was chosen, where there was a choice. */
void trainer_say_precision(const Trainer *trainer);
/* At a resume, where its place is known: FAIL_USAGE if a step to come needs bf16 products
 * and there are none. */
Status trainer_check_precision(Trainer *trainer, Err *err);
/* Of the next step. */
Precision trainer_precision(const Trainer *trainer);

/* The rows of probe.jsonl and train.jsonl where one is due, and the progress of rank 0;
 * nothing elsewhere.  `lr` is the rate of the step just taken. */
Status trainer_log_probe(Trainer *trainer, size_t step, bool updated, Err *err);
Status trainer_log_step(Trainer *trainer, double lr, Err *err);

/* Something took from that clock until now. */
typedef enum { PACE_STEP, PACE_SCORE, PACE_SAVE } TrainerPace;
void trainer_took(Trainer *trainer, TrainerPace pace, double since);

/* ---- answers.c ---- */

/* What the model says to examples of the split that was scored last; NULL: nothing, or
 * not on this rank. */
json_t *trainer_answers(Trainer *trainer, Split split);
/* Its lines on stderr, the rest into answers.json; taken over. */
void trainer_keep_answers(Trainer *trainer, Split split, json_t *answers);

/* ---- sharpness.c: on rank 0 ---- */

/* Is it measured, from the start or behind an intervention? */
bool trainer_wants_sharpness(const Trainer *trainer);

/* FAIL_USAGE or FAIL_RUN where probe.sharpness wants what this installation lacks. */
Status trainer_check_sharpness(const Trainer *trainer, Err *err);

/* What a process before this one has left to measure, up to the present step.  `clean`:
 * what is of later steps, or measured, is removed. */
void trainer_find_sharpness(Trainer *trainer, bool clean);
/* The same where a run goes back to a checkpoint. */
void trainer_go_back_sharpness(Trainer *trainer);

/* Behind each step: leaves a snapshot where one is due, writes the row of one that is
 * measured (probe.jsonl), starts the next; waits where too many are due. */
Status trainer_log_sharpness(Trainer *trainer, size_t step, Err *err);

/* At the end: waits for what is due, unless the run was interrupted or failed; then it
 * stays for the resume. */
Status trainer_end_sharpness(Trainer *trainer, Err *err);
void trainer_free_sharpness(Trainer *trainer);

/* ---- branch_open.c ---- */

/* The file of the checkpoint of `step`: the run's, or the one that it branches off. */
void trainer_checkpoint_path(const Trainer *trainer, size_t step, char path[PATH_SIZE]);
/* On all ranks, where the checkpoint is loaded: the best one up to there; FAIL_USAGE
 * where no step is left to take. */
Status trainer_branch_off(Trainer *trainer, Err *err);
/* Then, on all ranks, `dir` is the new folder; rank 0 fills it before it is opened. */
void trainer_leave(Trainer *trainer);
Status trainer_fill_folder(Trainer *trainer, Err *err);
/* Where it comes from, on rank 0. */
void trainer_say_branch(const Trainer *trainer);

/* A checkpoint of the present step. */
Status trainer_save(Trainer *trainer, const char *path, Err *err);

/* A row of train.jsonl for what happened at `step`, on rank 0:
 *     {"step":10,"event":"rollback","text":"one sentence", ...}
 * `more` (taken over, NULL: nothing) are further members.  A run that is resumed keeps
 * the rows up to the step of its checkpoint and has to come to the same ones after it;
 * "resume", "rollback" and "intervene" rows of that very step, which say how it was left,
 * are dropped with those after. */
Status trainer_log_event(Trainer *trainer, size_t step, const char *event,
                         const char *text, json_t *more, Err *err);

/* ---- interventions (tools/train/intervene.c) ---- */

/* The recipe in force, by the groups that act (at.acted). */
void trainer_set_course(Trainer *trainer);
/* The groups that the next step is made with: those that act, and those whose moment has
 * come.  Of a run that has no checkpoint: none. */
Acted trainer_acted_ahead(const Trainer *trainer);
/* Lets groups act whose moment has come, before the batch of the next step is made: a
 * line, and for each key a row
 *     {"step":10,"event":"intervene","key":"optim.lr","from":"0.1","to":"0.01"}
 * whose step is the last one with the old value. */
Status trainer_intervene(Trainer *trainer, Err *err);
/* At the end: groups that no step was taken with act again at a resume, which drops their
 * rows and writes them anew. */
void trainer_take_back(Trainer *trainer);
/* At a resume: FAIL_USAGE where a group that has acted is another now, one that is new
 * would have acted before, or a key that one has set is changed in vain. */
Status trainer_check_interventions(const Trainer *trainer, Err *err);
/* At a resume: is the best checkpoint chosen by another score now, or by a contrastive
 * loss that compares other things? */
bool trainer_best_changed(const Trainer *trainer);
/* Says which groups the run ends before. */
void trainer_note_interventions(const Trainer *trainer);

/* The rows that the present batch brought (task_event), before that of its step. */
Status trainer_log_task_events(Trainer *trainer, size_t step, Err *err);

/* Drops the last rows that say how `step` was left, from a log that is cut back to it:
 * those of one kind ("intervene"), or with NULL all. */
Status trainer_drop_departures(Log *train_log, size_t step, const char *kind, Err *err);

/* At a resume: does that, and leaves a row for what is changed from this step on; before
 * it, of a run that goes on from another one's checkpoint,
 *     {"step":30,"event":"branch","text":"...","run":"runs/x"} */
Status trainer_log_resumed(Trainer *trainer, Err *err);

/* The most that a key such as probe.every has been, at a resume and at those before it
 * (train.jsonl): steps further apart than that are a gap.  0: it was 0 at a time,
 * and so is not known. */
size_t trainer_widest(const Trainer *trainer, const char *key, size_t was, size_t now);

/* The epoch that a step is at, as it is logged; the step at which an epoch, whole or not,
 * is over (moment_step); whether a step ends one (all in tools/train/place.c). */
double trainer_epoch(const Trainer *trainer, size_t step);
size_t trainer_step_of(const Trainer *trainer, double epoch);
bool trainer_ends_epoch(const Trainer *trainer, size_t step);

/* Counts the steps of the run and of its warm-up (place.c, too). */
void trainer_count_steps(Trainer *trainer);

/* Sets the run's place in its data when the checkpoint is loaded: where batches are made
 * in another way from here on, no example of the epoch comes twice and none is passed
 * over; where the examples or their order are others (`other_data`, data.limit,
 * train.seed, ...) the epoch goes on at the same share of the new order. */
Status trainer_find_place(Trainer *trainer, bool other_data, Err *err);

/* What the data are, by split. */
void trainer_mark_data(const Task *task, DataMark data[3]);

/* Compares them with those of the checkpoint of `step` (0: none): sets data_change,
 * other_data, other_scores, data_was.  FAIL_DATA where they differ unasked and
 * data.changed = refuse.  For rank 0. */
Status trainer_check_data(Trainer *trainer, size_t step, Err *err);

/* Is the step one of each `every`; 0: the end of an epoch? */
static inline bool trainer_on_beat(const Trainer *trainer, size_t step, size_t every) {
    return every ? step % every == 0 : trainer_ends_epoch(trainer, step);
}

/* The same at the end of the run, whatever `every` is. */
static inline bool trainer_due(const Trainer *trainer, size_t step, size_t every) {
    return step == trainer->steps || trainer_on_beat(trainer, step, every);
}

/* What a checkpoint holds of a trainer, but for its recipe. */
CheckpointParts trainer_checkpoint_parts(const Trainer *trainer);

/* The number of the newest checkpoint, as rank 0 sees the folder; 0: none. */
size_t trainer_newest_step(Trainer *trainer);

/* The same at a resume: FAIL_DATA on rank 0 where there is none and the logs, which would
 * be cut back to nothing, say that there was one, or where the folder cannot be read. */
size_t trainer_find_newest(Trainer *trainer, Err *err);

/* Loads a checkpoint on all ranks.  Of the newest an error says which older one is
 * there. */
Status trainer_load_step(Trainer *trainer, size_t step, Err *err);
Status trainer_load_newest(Trainer *trainer, size_t step, Err *err);

/* Takes back the folder of a new run that did not begin. */
void trainer_remove_unbegun(const Trainer *trainer);

/* Opens the logs, cut back to the present step. */
Status trainer_open_logs(Trainer *trainer, Err *err);

/* FAIL_RUN when parameters, gradients, optimizer and activations are more than this
 * process can ever have (machine_memory_most); before the optimizer is made. */
Status trainer_check_memory(const Trainer *trainer, Err *err);
/* a line on stderr, and a note where it is tight */
void trainer_say_memory(const Trainer *trainer);

/* schedule.name = plateau.  FAIL_USAGE where the data have no split to go by. */
Status trainer_check_plateau(const Trainer *trainer, Err *err);

/* Counts the loss of the evaluation after this step and says when the rate shrinks.
 * Nothing where the schedule is another, in the warm-up, and at the end of a run off the
 * beat of train.eval_every.  All ranks call it and go by the loss of rank 0. */
Status trainer_see_plateau(Trainer *trainer, Split split, const Score *score, Err *err);

/* Will trainer_guard_collapse stop the run?  Then there is no update. */
bool trainer_collapses(const Trainer *trainer);

/* Warns of each site once, with what has grown (tools/run/cause.h); FAIL_COLLAPSED where
 * the recipe wants to stop.  Behind the row of probe.jsonl where one is due. */
Status trainer_guard_collapse(Trainer *trainer, size_t step, Err *err);

/* Has train.jsonl a row of that step? */
bool trainer_logs_step(const Trainer *trainer, size_t step);

/* After the update of `step`, which trainer_look has had measured: a member "moved" of
 * the step's row (a row of an event where train.log_every leaves that one out) and a
 * line for the tensors that moved by more than guard.update_above of themselves, each
 * once in a run (tools/train/moves.c). */
Status trainer_guard_moves(Trainer *trainer, size_t step, Err *err);

#endif
