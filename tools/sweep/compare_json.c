/* compare_json: a comparison as JSON (tools/sweep/compare.h). */
#include "tools/run/rundir.h"
#include "tools/sweep/compare.h"

static json_t *whole(size_t n) { return json_integer((json_int_t)n); }

json_t *interval_json(Interval interval) {
    if (!isfinite(interval.low)) return json_null();
    return json_pack("[o, o]", json_number(interval.low), json_number(interval.high));
}

static json_t *paired_json(const Paired *paired) {
    return json_pack("{s:o, s:o, s:o, s:o}", "pairs", whole(paired->pairs), "difference",
                     json_number(paired->mean), "interval",
                     interval_json(paired->interval), "p", json_number(paired->p));
}

/* "" where the pool has only one. */
static json_t *text_json(const PoolList *list, size_t at) {
    return json_text(at < list->count ? list->text[at] : "");
}

static json_t *rows_json(const Pool *pool, const Comparison *c) {
    json_t *list = json_array();
    for (const CompareRow *row = c->rows; row < c->rows + c->row_count; row++)
        json_array_append_new(list,
                              json_pack("{s:o, s:o, s:o, s:o, s:b, s:o, s:o}", "method",
                                        text_json(&pool->methods, row->method), "rest",
                                        text_json(&pool->rests, row->rest), "rate",
                                        text_json(&pool->rates, row->rate), "base_rate",
                                        text_json(&pool->rates, row->base_rate),
                                        "own_best", row->best, "score",
                                        paired_json(&row->of[COMPARE_SCORE]), "loss",
                                        paired_json(&row->of[COMPARE_LOSS])));
    return list;
}

static json_t *failures_json(const Pool *pool, const Comparison *c) {
    json_t *list = json_array();
    for (size_t m = 0; m < pool->methods.count; m++)
        json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o, s:o}", "method",
                                              text_json(&pool->methods, m), "failed",
                                              whole(c->failures[m].failed), "runs",
                                              whole(c->failures[m].runs), "interval",
                                              interval_json(c->failures[m].share), "p",
                                              json_number(c->failures[m].p)));
    return list;
}

static json_t *curve_json(const Pool *pool, const CompareCurve *curve) {
    Interval range = {curve->low, curve->high};
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                     "method", text_json(&pool->methods, curve->method), "rest",
                     text_json(&pool->rests, curve->rest), "best_rate",
                     text_json(&pool->rates, curve->best), "best_loss",
                     json_number(curve->loss.mean), "best_loss_interval",
                     interval_json(curve->loss.interval), "rates",
                     whole(curve->rate_count), "range",
                     interval_json(curve->rate_count ? range : INTERVAL_NONE), "start",
                     json_number(curve->start), "seeds", whole(curve->spread.count),
                     "sensitivity", json_number(curve->spread.mean),
                     "sensitivity_interval", interval_json(curve->spread.interval),
                     "sensitivity_difference", paired_json(&curve->against));
}

json_t *compare_json(const Pool *pool, const Comparison *c) {
    json_t *curves = json_array();
    char loss[40];
    pool_loss_name(pool, loss);
    for (size_t i = 0; i < c->curve_count; i++)
        json_array_append_new(curves, curve_json(pool, &c->curves[i]));
    return json_pack("{s:s, s:o, s:s, s:s*, s:o*, s:o, s:o, s:o}", "key",
                     pool->methods.title, "base", text_json(&pool->methods, pool->base),
                     "loss", loss, "metric", pool->like->metric, "split",
                     pool->like->metric ? json_text(pool->like->split) : NULL,
                     "differences", rows_json(pool, c), "failures",
                     failures_json(pool, c), "learning_rates", curves);
}
