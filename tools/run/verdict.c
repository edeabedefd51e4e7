#include "tools/run/verdict.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SHARE_OF_CHANCE (CHANCE_PERCENT / 100.0)
#define SHARE_OF_START (START_PERCENT / 100.0)
#define UNIFORM_SHARE (UNIFORM_PERCENT / 100.0)
#define START_ROWS 10
#define FAILED true
#define WORKED false

#define FACTS(KIND, name, failed, definition)                                            \
    [VERDICT_##KIND] = {name, failed, definition},
const VerdictFacts verdicts[VERDICT_KINDS] = {VERDICT_LIST(FACTS)};

/* First row that fits wins; EITHER fits both. */
enum { NO, YES, EITHER };
static const struct {
    unsigned char diverged, collapsed, spike, sigma, uniform;
    const char *text;
} advices[] = {
    {EITHER, YES, EITHER, NO, EITHER,
     "Try model.reparam=sigma model.norm=none, a lower optim.lr or a longer "
     "schedule.warmup_steps."},
    {EITHER, YES, EITHER, YES, EITHER,
     "Try a lower optim.lr, a longer schedule.warmup_steps or a larger train.batch."},
    {YES, NO, EITHER, YES, YES,
     "Attention stayed uniform: the network does not learn at all, which is no entropy "
     "collapse. Try a lower optim.lr, a longer schedule.warmup_steps or "
     "model.gamma_init=1 with a larger model.init_std."},
    {YES, NO, EITHER, YES, NO, "Try a lower optim.lr or a longer schedule.warmup_steps."},
    {YES, NO, EITHER, NO, EITHER,
     "No collapse of attention was seen. Try a lower optim.lr, a longer "
     "schedule.warmup_steps, "
     "or "
     "model.reparam=sigma model.norm=none."},
    {NO, NO, YES, EITHER, EITHER,
     "Try optim.clip=1, a lower optim.lr or a larger train.batch."},
};

#define GRADE_NAME(KIND, name, title) [GRADE_##KIND] = name,
static const char *const GRADE_NAMES[GRADES] = {GRADE_LIST(GRADE_NAME)};
#define GRADE_TITLE(KIND, name, title) [GRADE_##KIND] = title,
static const char *const GRADE_TITLES[GRADES] = {GRADE_LIST(GRADE_TITLE)};

const char *grade_name(Grade grade) { return GRADE_NAMES[grade]; }

Grade grade_find(const char *name) {
    for (int g = GRADE_UNKNOWN; name && g < GRADES; g++)
        if (!strcmp(name, GRADE_NAMES[g])) return (Grade)g;
    return GRADE_UNKNOWN;
}

Grade grade_of(double score, double none, double learned) {
    double way = (score - none) / (learned - none);
    if (isnan(way)) return GRADE_UNKNOWN;
    return way <= 0 ? GRADE_NOT : way <= 1 ? GRADE_HARDLY : GRADE_LEARNED;
}

double entropy_mean(const double *entropy, size_t heads) {
    double sum = 0;
    size_t seen = 0;
    for (size_t h = 0; h < heads; h++)
        if (isfinite(entropy[h])) sum += entropy[h], seen++;
    return seen ? sum / (double)seen : NAN;
}

double entropy_share(double entropy, double uniform) {
    return uniform > 0 ? entropy / uniform : NAN;
}

bool entropy_fell(double share, double below) { return share < below; }

void entropy_low_see(EntropyLow *low, const char *site, double uniform, double entropy,
                     size_t step) {
    double share = entropy_share(entropy, uniform);
    if (!isfinite(share)) return;
    bool fresh = !low->probes || step != low->last_step;
    low->probes += fresh;
    if (low->probes == 1) low->first_step = step;
    low->last = fresh ? share : fmin(low->last, share);
    low->last_step = step;
    if (share < low->share) {
        low->share = share;
        low->uniform = uniform;
        low->step = step;
        snprintf(low->site, sizeof low->site, "%s", site);
    }
    bool first = !low->fell_step;
    if (entropy_fell(share, COLLAPSE_SHARE) &&
        (first || (step == low->fell_step && share < low->fell_share))) {
        low->fell_step = step;
        low->fell_uniform = uniform;
        low->fell_share = share;
        snprintf(low->fell_site, sizeof low->fell_site, "%s", site);
    }
}

void entropy_low_warned(EntropyLow *low, const char *site, double uniform, double share,
                        size_t step) {
    if (!isfinite(share)) return;
    if (share < low->share) {
        low->share = share, low->uniform = uniform, low->step = step;
        snprintf(low->site, sizeof low->site, "%s", site);
    }
    bool earlier = !low->fell_step || step < low->fell_step ||
                   (step == low->fell_step && share < low->fell_share);
    if (!entropy_fell(share, COLLAPSE_SHARE) || !earlier) return;
    low->fell_between = step != low->fell_step;
    low->fell_step = step, low->fell_uniform = uniform, low->fell_share = share;
    snprintf(low->fell_site, sizeof low->fell_site, "%s", site);
}

static double mean(const double *value, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += value[i];
    return count ? sum / (double)count : NAN;
}

static size_t first_nonfinite(const VerdictInput *input) {
    size_t i = 0;
    while (i < input->count && isfinite(input->loss[i])) i++;
    return i;
}

static bool at_a_point(const Verdict *verdict) {
    return verdict->spread < POINT_PERCENT / 100.0;
}

static bool probe_fell(const Verdict *verdict) { return isfinite(verdict->probe.depth); }

static bool uniform_at_last(const EntropyLow *low) {
    return isfinite(low->last) && low->last > UNIFORM_SHARE;
}

/* In the order of VERDICT_LIST. */
static VerdictKind judge(const VerdictInput *input, const Verdict *verdict) {
    bool known = input->chance > 0;
    double factor = known ? SHARE_OF_START : SHARE_OF_CHANCE;
    if (input->nonfinite || first_nonfinite(input) < input->count)
        return VERDICT_NONFINITE;
    if (input->count < VERDICT_ROWS_MIN) return VERDICT_SHORT;
    if (known && verdict->tail > SHARE_OF_CHANCE * input->chance)
        return at_a_point(verdict)            ? VERDICT_AT_CHANCE_POINT
               : verdict->collapsed           ? VERDICT_AT_CHANCE_COLLAPSED
               : uniform_at_last(&input->low) ? VERDICT_AT_CHANCE_UNIFORM
                                              : VERDICT_AT_CHANCE;
    if (verdict->tail > factor * verdict->start) return VERDICT_NO_PROGRESS;
    if (verdict->spikes.open) return VERDICT_SPIKE;
    if (probe_fell(verdict) && isnan(verdict->probe.until)) return VERDICT_PROBE_FELL;
    if (verdict->collapsed) return VERDICT_COLLAPSED;
    if (verdict->spikes.count) return VERDICT_RECOVERED;
    if (probe_fell(verdict)) return VERDICT_PROBE_RECOVERED;
    return input->grade == GRADE_NOT      ? VERDICT_NOT_LEARNED
           : input->grade == GRADE_FEW    ? VERDICT_FEW
           : input->grade == GRADE_HARDLY ? VERDICT_HARDLY
                                          : VERDICT_LEARNED;
}

/* What the score says of the answers; "": nothing more than the grade. */
static const char *answers_text(const VerdictInput *input) {
    static const char FEW[] =
        "the evaluation has too few examples to tell the score from "
        "guessing";
    switch (input->grade) {
    case GRADE_NOT: return "the answers are no better than guessing";
    case GRADE_HARDLY: return "the answers are little better than guessing";
    case GRADE_FEW: return input->few ? input->few : FEW;
    case GRADE_UNKNOWN:
    case GRADE_LEARNED:
    case GRADES: break;
    }
    return "";
}

static LossFall fall_scored(const VerdictInput *input) {
    double first = input->count ? input->loss[0] : NAN;
    return loss_fall_scored(input->scored, input->scored_count, first);
}

/* Counts as diverged, but nothing that was seen is wrong with it. */
static bool is_unfinished(const VerdictInput *input, const Verdict *verdict) {
    if (!verdict->diverged || verdict->collapsed || verdict->spikes.open ||
        verdict->kind == VERDICT_NONFINITE || verdict->kind == VERDICT_AT_CHANCE_POINT)
        return false;
    size_t start = MIN(START_ROWS, input->count - input->count / 5);
    return loss_fall(input->loss, input->count).falls || fall_scored(input).falls ||
           (input->warmup &&
            !loss_rose(input->loss, input->count, start, SHARE_OF_START - 1));
}

/* ", but it still falls, by 15 % in the last fifth of the logged steps; the run ended in
 * its warm-up, at step 20 of 300"; returns how the sentence begins. */
static const char *describe_unfinished(const VerdictInput *input, const Verdict *verdict,
                                       char text[200]) {
    LossFall fall = loss_fall(input->loss, input->count);
    LossFall scored = fall_scored(input);
    char falls[100] = "";
    *text = '\0';
    if (!verdict->unfinished) return "Diverged: the";
    if (fall.falls)
        text_format(falls, sizeof falls,
                    ", but it still falls, by %.2g %% in the last fifth of the logged "
                    "steps",
                    100 * fall.share);
    else if (scored.falls)
        text_format(falls, sizeof falls,
                    ", but that of evaluations still falls, by %.2g %% in the second "
                    "half of the run",
                    100 * scored.share);
    text_format(text, 200, "%s%s%s", falls,
                input->warmup ? "; the run ended in its warm-up, at " : "",
                input->warmup ? input->warmup : "");
    return "The";
}

static void describe_loss(const VerdictInput *input, Verdict *verdict, char *text,
                          size_t size) {
    char unfinished[200];
    const char *first = describe_unfinished(input, verdict, unfinished);
    const char *answers = answers_text(input);
    size_t bad = first_nonfinite(input);
    switch (verdict->kind) {
    case VERDICT_NONFINITE:
        if (bad < input->count)
            snprintf(text, size, "The loss became non-finite at step %.0f.",
                     input->step ? input->step[bad] : (double)bad + 1);
        else
            snprintf(text, size,
                     "A non-finite gradient stopped the run after %zu logged steps.",
                     input->count);
        break;
    case VERDICT_SHORT:
        snprintf(text, size, "Too short to judge: %zu logged step%s, %d are needed.",
                 input->count, input->count == 1 ? "" : "s", VERDICT_ROWS_MIN);
        break;
    case VERDICT_AT_CHANCE_POINT:
    case VERDICT_AT_CHANCE_COLLAPSED:
    case VERDICT_AT_CHANCE_UNIFORM:
    case VERDICT_AT_CHANCE:
        snprintf(text, size, "%s final loss is %.3f, no better than chance (%.3f)%s%s.",
                 first, verdict->tail, input->chance, unfinished,
                 verdict->kind == VERDICT_AT_CHANCE_POINT
                     ? "; all features are nearly equal"
                 : verdict->kind == VERDICT_AT_CHANCE_COLLAPSED ? "; attention collapsed"
                 : verdict->kind == VERDICT_AT_CHANCE_UNIFORM   ? "; attention is uniform"
                                                                : "");
        break;
    case VERDICT_NO_PROGRESS:
        snprintf(text, size,
                 "%s final loss is %.3f, no better than at the start (%.3f)%s.", first,
                 verdict->tail, verdict->start, unfinished);
        break;
    case VERDICT_SPIKE:
        snprintf(text, size,
                 "No recovery from a spike: the loss went from %.3f to %.3f%s.",
                 verdict->start, verdict->tail,
                 verdict->collapsed ? ", and attention collapsed during training" : "");
        break;
    case VERDICT_LEARNED:
    case VERDICT_HARDLY:
    case VERDICT_FEW:
    case VERDICT_NOT_LEARNED:
    case VERDICT_PROBE_FELL:
    case VERDICT_PROBE_RECOVERED:
    case VERDICT_RECOVERED:
    case VERDICT_COLLAPSED:
    case VERDICT_KINDS:
        snprintf(text, size, "%s: the loss went from %.3f to %.3f%s%s%s.",
                 GRADE_TITLES[input->grade ? input->grade : GRADE_LEARNED],
                 verdict->start, verdict->tail,
                 verdict->collapsed ? ", but attention collapsed during training" : "",
                 *answers ? "; " : "", answers);
        break;
    }
}

/* The change of the recipe that a spike follows: the last one from a few rows before its
 * rise to its top; NAN: none. */
static double change_before(const VerdictInput *input, const LossSpike *spike) {
    double found = NAN, reach = fmax(spike->top - spike->from, 1);
    for (size_t i = 0; i < input->change_count; i++) {
        double step = input->changes[i];
        if (step >= spike->from - reach && step <= spike->top) found = step;
    }
    return found;
}

/* " The loss rose by 0.51 nats (37 %) above its best level, 1.370, after step 755, and
 * came back after 32 steps." */
static void describe_spikes(const VerdictInput *input, const LossSpikes *spikes,
                            char *text, size_t size) {
    const LossSpike *s = &spikes->worst;
    char change[60] = "", others[60] = "";
    double step = change_before(input, s);
    text[0] = '\0';
    if (!spikes->count) return;
    if (isfinite(step))
        text_format(change, sizeof change, " (the recipe changed at step %.0f)", step);
    if (spikes->count > 1)
        text_format(others, sizeof others, "; %zu spikes in all", spikes->count);
    snprintf(text, size,
             " After step %.0f%s the loss rose by %.3f nats (%.0f %%) above its best "
             "level, %.3f, %s %.0f steps%s.",
             s->from, change, s->depth, 100 * s->depth / fmax(s->best, 1e-9), s->best,
             s->recovered ? "and recovered after" : "and did not recover within",
             s->steps, others);
}

/* " The probe fell by 21.3 points from its best, 54.0 %, to 32.7 % at epoch 14.0, and was
 * back after 6.0 epochs.  Features point ..." */
static void describe_features(const Verdict *v, char *text, size_t size) {
    const ScoreDip *d = &v->probe;
    char back[60] = "did not recover";
    text[0] = '\0';
    if (probe_fell(v)) {
        if (isfinite(d->until))
            text_format(back, sizeof back, "recovered after %.1f epochs",
                        fmin(d->until - d->bottom, 1e15));
        snprintf(text, size,
                 " After epoch %.1f the probe's accuracy fell by %.1f points, to its "
                 "lowest at epoch %.1f, and %s.",
                 d->from, 100 * d->depth, d->bottom, back);
    }
    size_t used = strlen(text);
    if (isfinite(v->spread))
        snprintf(text + used, size - used,
                 " Feature spread is %.1f %% of that of evenly distributed features.",
                 100 * v->spread);
}

/* "3.912 nats" */
static void nats_text(double nats, char text[40]) {
    text_format(text, 40, isfinite(nats) ? "%.3f nats" : "unknown", fmin(nats, 1e9));
}

/* Only of the steps that were looked at. */
static void describe_probes(const EntropyLow *low, char *text, size_t size) {
    char probes[80], uniform[40];
    nats_text(low->uniform, uniform);
    text_format(probes, sizeof probes, "the only probe (step %zu)", low->last_step);
    if (low->probes > 1)
        text_format(probes, sizeof probes, "all %zu probes (steps %zu to %zu)",
                    low->probes, low->first_step, low->last_step);
    snprintf(text, size,
             " Attention entropy was above %d %% of that of uniform attention at %s; the "
             "lowest site had %.1f %% of %s, %s at step %zu.",
             COLLAPSE_PERCENT, probes, 100 * fmin(low->share, 1e9), uniform, low->site,
             low->step);
}

static void describe_entropy(const EntropyLow *low, char *text, size_t size) {
    text[0] = '\0';
    if (!isfinite(low->share)) return;
    if (!low->fell_step && low->probes) describe_probes(low, text, size);
    if (!low->fell_step) return;
    const char *other = strcmp(low->site, low->fell_site) ? low->site : "";
    char uniform[40];
    nats_text(low->fell_uniform, uniform);
    snprintf(text, size,
             " %s fell below %.0f %% of uniform attention's entropy (%s) at "
             "step %zu%s; lowest seen: %.1f %%%s%s at step %zu.",
             low->fell_site, 100 * COLLAPSE_SHARE, uniform, low->fell_step,
             low->fell_between ? " (the guard's warning; no probe at that step)" : "",
             100 * low->share, *other ? ", " : "", other, low->step);
}

static bool fits(unsigned char wanted, bool is) {
    return wanted == EITHER || (wanted == YES) == is;
}

static void advise(const VerdictInput *input, Verdict *verdict) {
    bool uniform = uniform_at_last(&input->low);
    if (verdict->unfinished) {
        text_format(verdict->advice, sizeof verdict->advice, "Train longer%s.",
                    input->warmup ? ", or shorten the warm-up (schedule.warmup_steps or "
                                    "schedule.warmup_epochs)"
                                  : "");
        return;
    }
    for (size_t i = 0; i < COUNT(advices); i++) {
        if (fits(advices[i].diverged, verdict->diverged) &&
            fits(advices[i].spike, verdict->spikes.count > 0) &&
            fits(advices[i].collapsed, verdict->collapsed) &&
            fits(advices[i].sigma, input->sigma) && fits(advices[i].uniform, uniform)) {
            text_format(verdict->advice, sizeof verdict->advice, "%s", advices[i].text);
            return;
        }
    }
}

/* Mean of the last fifth, as a share of what even features have. */
static double spread_of(const VerdictInput *input, size_t tail) {
    if (!input->feature_std || !tail) return NAN;
    return mean(input->feature_std + input->count - tail, tail) *
           sqrt((double)input->width);
}

/* Standard error of the difference of two shares of `count`; 0: of how many is not
 * known. */
static double share_error(double p, double q, size_t count) {
    if (!count) return 0;
    return sqrt(fmax(p * (1 - p) + q * (1 - q), 0) / (double)count);
}

/* The deepest fall, where it is deep enough to count. */
static ScoreDip fall_of(const VerdictInput *input) {
    const double *top1 = input->probe, *epoch = input->probe_epoch;
    ScoreDip dip = score_dip(top1, epoch, input->probe_count, METRIC_PROBE_TOP1);
    size_t i = 0;
    while (i < input->probe_count && epoch[i] != dip.from) i++;
    if (i == input->probe_count) return (ScoreDip){NAN, NAN, NAN, NAN};
    double best = top1[i],
           margin = fmax(PROBE_FALL_POINTS, PROBE_FALL_PERCENT * best) / 100;
    margin = fmax(margin, PROBE_FALL_ERRORS *
                              share_error(best, best - dip.depth, input->probe_pictures));
    if (!(dip.depth > margin)) return (ScoreDip){NAN, NAN, NAN, NAN};
    dip.until = NAN;
    for (; i < input->probe_count && isnan(dip.until); i++)
        if (epoch[i] > dip.bottom && top1[i] >= best - margin / 2) dip.until = epoch[i];
    return dip;
}

Verdict run_verdict(const VerdictInput *input) {
    Verdict verdict = {.collapsed = input->low.fell_step > 0};
    size_t fifth = input->count / 5;
    size_t tail = MIN(MAX(fifth, 1), input->count);
    verdict.spread = spread_of(input, tail);
    verdict.probe = fall_of(input);
    verdict.start = mean(input->loss, MIN(START_ROWS, input->count - fifth));
    verdict.tail = tail ? mean(input->loss + input->count - tail, tail) : NAN;
    verdict.spikes = loss_spikes(input->loss, input->step, input->count,
                                 input->chance > 0 ? input->chance : verdict.start);
    verdict.kind = judge(input, &verdict);
    verdict.name = verdicts[verdict.kind].name;
    verdict.diverged = verdicts[verdict.kind].diverged;
    verdict.grade = verdict.diverged                ? GRADE_NOT
                    : verdict.kind == VERDICT_SHORT ? GRADE_UNKNOWN
                                                    : input->grade;
    verdict.unfinished = is_unfinished(input, &verdict);
    char loss[400], spikes[300], entropy[460], features[250];
    describe_loss(input, &verdict, loss, sizeof loss);
    describe_spikes(input, &verdict.spikes, spikes, sizeof spikes);
    describe_entropy(&input->low, entropy, sizeof entropy);
    describe_features(&verdict, features, sizeof features);
    text_format(verdict.summary, sizeof verdict.summary, "%s%s%s%s", loss, spikes,
                features, entropy);
    advise(input, &verdict);
    return verdict;
}

VerdictKind verdict_find(const char *name) {
    VerdictKind kind = 0;
    while (kind < VERDICT_KINDS && strcmp(name, verdicts[kind].name)) kind++;
    return kind;
}

#define LINE(KIND, name, failed, definition) "\n" name ": " definition "."

/* clang-format off */
const char *verdict_definition(void) {
    return "diverged: non-finite, at chance or no progress, as below.\n"
           "collapsed: at some probe, or when the collapse guard warned, the entropy of an "
           "attention site, mean over its heads, was under " PERCENT(COLLAPSE_PERCENT) " of that of uniform attention; such a "
           "run can still have learned.\n"
           "chance: ln K for K classes; ln(2N - 1) for a contrastive loss of N pictures; "
           "for texts the entropy of the token frequencies; for speech the best "
           "input-independent guess.\n"
           "spike: the running median of the loss over a twentieth of the steps rises above "
           "its lowest by more than a margin: the largest of " PERCENT(SPIKE_PERCENT)
           " of that lowest, " PERCENT(SPIKE_CHANCE_PERCENT)
           " of chance and the scatter of minibatches. It has recovered once it is within "
           "half of that margin again."
           VERDICT_LIST(LINE);
}
/* clang-format on */

void verdict_sentence(const Verdict *verdict, char text[VERDICT_SENTENCE]) {
    size_t length = strlen(verdict->name);
    const char *rest = verdict->summary + length;
    bool same = !strncasecmp(verdict->summary, verdict->name, length) && rest[0] == ':' &&
                rest[1] == ' ' && rest[2];
    text_format(text, VERDICT_SENTENCE, "%s", same ? rest + 2 : verdict->summary);
    *text = (char)toupper((unsigned char)*text);
}
