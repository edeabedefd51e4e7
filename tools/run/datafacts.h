/* datafacts: what a run's data were - RUN/data.json - and what the reader said of them.
 *
 *     {"notes":  [{"count": 5, "text": "..."}],              of the task as a whole
 *      "splits": {"train": {"count": 60000, "hash": "89ab...", "notes": [...]}, ...}}
 *
 * A note stands for something that was left out, changed or guessed (data/facts.h).
 * `hash` is 16 hexadecimal digits, or null where the reader has none. */
#ifndef STEADY_DATAFACTS_H
#define STEADY_DATAFACTS_H

#include "data/config.h"
#include "data/facts.h"

const char *split_name(Split split); /* "train", "val", "test" */
/* The word for people: "training", "validation", "test"; of another name that name. */
const char *split_word(const char *name);

typedef struct DataRecord {
    DataFacts task;
    DataFacts split[3]; /* by Split */
    bool there[3];
} DataRecord;

/* Each note on one line of stderr behind the name of its split ("": of the whole
 * task). */
void datafacts_say_notes(const DataFacts *facts, const char *where);

/* Writes data.json: what is known of the task as a whole and, by Split, of its splits;
 * NULL: one that is not there. */
Status datafacts_save(const DataFacts *task, const DataFacts *const split[3],
                      const char *run_dir, Err *err);

/* A run without data.json (an older one) gives an empty record and OK; a file that is not
 * one is FAIL_DATA.  datarecord_free in either case. */
Status datafacts_load(const char *run_dir, DataRecord *record, Err *err);
void datarecord_free(DataRecord *record);

#endif
