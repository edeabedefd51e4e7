/* temperature: attention temperatures of some sites, where they differ from the others'.
 *
 *     model_set_temperatures(model, "blocks.0.attn:0.1 encoder:2", &err)
 *
 * A name is a site's ("decoder.blocks.2.cross") or the beginning of several, up to a dot
 * ("blocks.1", "decoder"); of two that mean one site the later wins
 * ("blocks:2 blocks.0:0.5"); one that wins nowhere is refused.  A site without one has
 * the forward pass's own (ForwardMode.temperature). */
#ifndef STEADY_TEMPERATURE_H
#define STEADY_TEMPERATURE_H

#include "models/layer.h"

/* Is it a list of NAME:NUMBER, each number > 0, separated by blanks or commas?
 * FAIL_USAGE says what is not. */
Status temperatures_check(const char *text, Err *err);

/* "": all sites have the forward pass's.  FAIL_USAGE also for a name that is no site's,
 * with those that there are, and for an entry without effect; the model is then as it
 * was. */
Status model_set_temperatures(Model *model, const char *text, Err *err);
/* The same without setting anything. */
Status model_check_temperatures(const Model *model, const char *text, Err *err);

double site_temperature(const Site *site, const ForwardMode *mode);

#endif
