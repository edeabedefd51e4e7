/* words: what a screen says of a run, as text. */
#ifndef STEADY_WATCH_WORDS_H
#define STEADY_WATCH_WORDS_H

#include "tools/watch/screen.h"
#include "tools/watch/watched.h"

/* "running", "no row for 12:07", ... ; tone: how alarming that is. */
void state_text(const Watched *run, double now, char *text, size_t size, Tone *tone);
/* "top-1 45.3 %" */
void eval_text(const WatchedEval *eval, char *text, size_t size);
/* Four significant digits in at most 8 characters: "1.234", "3e-05", "12345"; "-" for
 * NaN. */
void number_text(double value, char *text, size_t size);

#endif
