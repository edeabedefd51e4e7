#include "tools/run/verdict.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define CHANCE_PERCENT 98
#define START_PERCENT 102
#define SHARE_OF_CHANCE (CHANCE_PERCENT / 100.0)
#define SHARE_OF_START (START_PERCENT / 100.0)
#define START_ROWS 10
#define UNIFORM_SHARE 0.97 /* attention that never left (nearly) equal weights */

static const struct {
    const char *name;
    bool diverged;
} kinds[] = {
    [VERDICT_LEARNED] = {"learned", false},
    [VERDICT_COLLAPSED] = {"collapsed", false},
    [VERDICT_AT_CHANCE] = {"at chance", true},
    [VERDICT_NO_PROGRESS] = {"no progress", true},
    [VERDICT_NONFINITE] = {"non-finite", true},
    [VERDICT_SHORT] = {"too short to judge", false},
};

/* First row that fits wins; EITHER fits both. */
enum { NO, YES, EITHER };
static const struct {
    unsigned char diverged, collapsed, sigma, uniform;
    const char *text;
} advices[] = {
    {EITHER, YES, NO, EITHER,
     "Try model.reparam=sigma model.norm=none, a lower optim.lr or a longer "
     "schedule.warmup_steps."},
    {EITHER, YES, YES, EITHER,
     "Try a lower optim.lr, a longer schedule.warmup_steps or a larger train.batch."},
    {YES, NO, YES, YES,
     "Attention stayed uniform: the network is dead rather than collapsed. Try a lower "
     "optim.lr, a longer schedule.warmup_steps or model.gamma_init=1 with a larger "
     "model.init_std."},
    {YES, NO, YES, NO, "Try a lower optim.lr or a longer schedule.warmup_steps."},
    {YES, NO, NO, EITHER,
     "Attention did not collapse. Try a lower optim.lr, a longer schedule.warmup_steps, "
     "or "
     "model.reparam=sigma model.norm=none."},
};

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

static VerdictKind judge(const VerdictInput *input, const Verdict *verdict) {
    bool known = input->chance > 0;
    if (input->nonfinite || first_nonfinite(input) < input->count)
        return VERDICT_NONFINITE;
    if (input->count < VERDICT_ROWS_MIN) return VERDICT_SHORT;
    if (known && verdict->tail > SHARE_OF_CHANCE * input->chance)
        return VERDICT_AT_CHANCE;
    double factor = known ? SHARE_OF_START : SHARE_OF_CHANCE;
    if (verdict->tail > factor * verdict->start) return VERDICT_NO_PROGRESS;
    return verdict->collapsed ? VERDICT_COLLAPSED : VERDICT_LEARNED;
}

static void describe_loss(const VerdictInput *input, Verdict *verdict, char *text,
                          size_t size) {
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
    case VERDICT_AT_CHANCE:
        snprintf(text, size,
                 "Diverged: at the end the loss is %.3f, no better than chance (%.3f).",
                 verdict->tail, input->chance);
        break;
    case VERDICT_NO_PROGRESS:
        snprintf(
            text, size,
            "Diverged: at the end the loss is %.3f, no better than at the start (%.3f).",
            verdict->tail, verdict->start);
        break;
    case VERDICT_LEARNED:
    case VERDICT_COLLAPSED:
        snprintf(text, size, "Learned: the loss went from %.3f to %.3f%s.",
                 verdict->start, verdict->tail,
                 verdict->collapsed ? ", but attention collapsed on the way" : "");
        break;
    }
}

static void describe_entropy(const EntropyLow *low, char *text, size_t size) {
    text[0] = '\0';
    if (!isfinite(low->share)) return;
    if (!low->fell_step) {
        snprintf(
            text, size,
            " Attention entropy stayed above %.0f %% of what uniform attention has; the "
            "lowest was %.1f %% of %.3f nats, %s at step %zu.",
            100 * COLLAPSE_SHARE, 100 * low->share, low->uniform, low->site, low->step);
        return;
    }
    const char *other = strcmp(low->site, low->fell_site) ? low->site : "";
    snprintf(text, size,
             " %s fell under %.0f %% of uniform attention's entropy (%.3f nats) at step "
             "%zu; lowest %.1f %%%s%s at step %zu.",
             low->fell_site, 100 * COLLAPSE_SHARE, low->fell_uniform, low->fell_step,
             100 * low->share, *other ? ", " : "", other, low->step);
}

static bool fits(unsigned char wanted, bool is) {
    return wanted == EITHER || (wanted == YES) == is;
}

static void advise(const VerdictInput *input, Verdict *verdict) {
    bool uniform = isfinite(input->low.share) && input->low.share > UNIFORM_SHARE;
    for (size_t i = 0; i < COUNT(advices); i++) {
        if (fits(advices[i].diverged, verdict->diverged) &&
            fits(advices[i].collapsed, verdict->collapsed) &&
            fits(advices[i].sigma, input->sigma) && fits(advices[i].uniform, uniform)) {
            text_format(verdict->advice, sizeof verdict->advice, "%s", advices[i].text);
            return;
        }
    }
}

Verdict run_verdict(const VerdictInput *input) {
    Verdict verdict = {.collapsed = input->low.fell_step > 0};
    size_t fifth = input->count / 5;
    size_t tail = MIN(MAX(fifth, 1), input->count);
    verdict.start = mean(input->loss, MIN(START_ROWS, input->count - fifth));
    verdict.tail = tail ? mean(input->loss + input->count - tail, tail) : NAN;
    verdict.kind = judge(input, &verdict);
    verdict.name = kinds[verdict.kind].name;
    verdict.diverged = kinds[verdict.kind].diverged;
    char loss[200], entropy[390];
    describe_loss(input, &verdict, loss, sizeof loss);
    describe_entropy(&input->low, entropy, sizeof entropy);
    text_format(verdict.summary, sizeof verdict.summary, "%s%s", loss, entropy);
    advise(input, &verdict);
    return verdict;
}

const char *verdict_definition(void) {
    _Static_assert(CHANCE_PERCENT == 98 && START_PERCENT == 102 && COLLAPSE_PERCENT == 10,
                   "the text below has these numbers");
    return "diverged: a loss or gradient was not finite, or the mean loss of the last "
           "fifth of the steps is above 98 % of chance (ln K for K classes; for texts "
           "the entropy of how frequent tokens are; for speech the best "
           "input-independent guess; where it is unknown, of the first steps) or above "
           "102 % of the first ten steps.\n"
           "collapsed: at some probe the entropy of an attention site, mean over its "
           "heads, was under 10 % of what uniform attention has; such a run can still "
           "have learned.";
}
