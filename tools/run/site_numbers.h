/* site_numbers: what probe.jsonl says of a site of attention beside its entropy and its
 * largest logit.  A new number is a line here and its computation in probe_sites.c; rows,
 * readers, figures and reports go through the lists.  docs/probes.md defines each. */
#ifndef STEADY_SITE_NUMBERS_H
#define STEADY_SITE_NUMBERS_H

/* X(NUMBER, key, label): SITE_NUMBER, what probe.jsonl calls it, its name in figures. */
#define SITE_LIST(X)                                                                     \
    X(INPUT, "input", "input ‖x‖²")                                                      \
    X(COMMON, "common", "share of ‖x‖² in common")                                       \
    X(INPUT_MAX, "input_max", "largest ‖x‖²")                                            \
    X(MEMORY, "memory", "memory ‖x‖²")                                                   \
    X(MEMORY_COMMON, "memory_common", "share of the memory's ‖x‖² in common")            \
    X(MEMORY_MAX, "memory_max", "memory's largest ‖x‖²")                                 \
    X(SIGMA2, "sigma2", "σ² of queries and keys")                                        \
    X(LOGIT_BOUND, "logit_bound", "bound of the logits")                                 \
    X(RANK, "rank", "rank of the output")

/* The same of each head: an array in the row. */
#define HEAD_LIST(X)                                                                     \
    X(BOUND, "bound", "bound of the entropy")                                            \
    X(PAIR, "pair", "‖W_Q W_Kᵀ‖")                                                        \
    X(SEC, "sec", "SEC(4) of W_QᵀW_K")                                                   \
    X(STABLE_RANK, "stable_rank", "stable rank of W_QᵀW_K")

#define SITE_NUMBER(NUMBER, key, label) SITE_##NUMBER,
typedef enum { SITE_LIST(SITE_NUMBER) SITE_NUMBERS } SiteNumber;
#undef SITE_NUMBER

#define HEAD_NUMBER(NUMBER, key, label) HEAD_##NUMBER,
typedef enum { HEAD_LIST(HEAD_NUMBER) HEAD_NUMBERS } HeadNumber;
#undef HEAD_NUMBER

/* Keys and labels by number. */
typedef struct SiteNumberFacts {
    const char *key, *label;
} SiteNumberFacts;

extern const SiteNumberFacts site_numbers[SITE_NUMBERS], head_numbers[HEAD_NUMBERS];

#endif
