#include "models/beam.h"

#include <math.h>
#include <string.h>

#include "engine/core/grow.h"

/* Hypotheses share their beginnings: each is the last node of a path to NO_NODE. */
typedef struct Node {
    size_t parent;
    uint32_t token;
} Node;

#define NO_NODE SIZE_MAX

/* An unfinished hypothesis. */
typedef struct Row {
    double log_prob;
    size_t node;
    size_t from; /* row of the last call that it continues */
    uint32_t token;
} Row;

typedef struct Candidate {
    double log_prob;
    size_t row; /* of the sentence */
    uint32_t token;
} Candidate;

typedef struct Sentence {
    BeamResult *result;
    size_t max_length;
    Row *rows; /* [beam] */
    size_t row_count;
    size_t first_row;      /* its rows in the last call begin there */
    Candidate *candidates; /* [2 beam], best first */
    size_t candidate_count;
} Sentence;

typedef struct Search {
    const BeamModel *model;
    const BeamConfig *config;
    size_t step;         /* tokens of all unfinished hypotheses */
    Sentence *sentences; /* those that are not done, in their order */
    size_t count;
    Node *nodes;
    size_t node_count, node_room;
    Row *next; /* [beam] */
    uint32_t *token;
    size_t *from;
    real *log_prob; /* [sentences * beam, vocab] */
} Search;

BeamConfig beam_config_default(void) {
    return (BeamConfig){.beam = 5,
                        .length_penalty = 1,
                        .max_length = 200,
                        .min_length = 1,
                        .start = 2,
                        .end = 2,
                        .pad = 1,
                        .sentences = 1};
}

/* ---- candidates -------------------------------------------------------------------------- */

/* Puts a candidate behind those that are as good; the worst falls out of a full list. */
static void offer(Sentence *sentence, size_t room, Candidate candidate) {
    Candidate *list = sentence->candidates;
    size_t at = sentence->candidate_count;
    if (!(candidate.log_prob > -INFINITY)) return;
    if (at == room) {
        if (!(candidate.log_prob > list[at - 1].log_prob)) return;
        at--;
    } else {
        sentence->candidate_count++;
    }
    for (; at > 0 && list[at - 1].log_prob < candidate.log_prob; at--)
        list[at] = list[at - 1];
    list[at] = candidate;
}

enum { SCAN = 64 };

/* Whether one of n <= SCAN numbers is at least `low`; without a branch, for vector
 * units. */
static bool any_at_least(const real *x, size_t n, real low) {
    int any = 0;
    for (size_t i = 0; i < n; i++) any |= x[i] >= low;
    return any;
}

/* What a ln p must reach to become a candidate of this row, or a little less: the sums in
 * offer are rounded, and decide. */
static real limit_of(const Sentence *sentence, size_t room, double log_prob) {
    if (sentence->candidate_count < room) return (real)-INFINITY;
    double worst = sentence->candidates[room - 1].log_prob;
    return (real)(worst - log_prob - 1e-9 * (1 + fabs(worst)));
}

static void scan_row(const Search *search, Sentence *sentence, size_t row,
                     const real *log_prob) {
    const BeamConfig *config = search->config;
    size_t vocab = search->model->vocab, room = 2 * config->beam;
    double before = sentence->rows[row].log_prob;
    bool may_end = search->step >= config->min_length;
    for (size_t begin = 0; begin < vocab; begin += SCAN) {
        size_t stop = MIN(vocab, begin + SCAN);
        real low = limit_of(sentence, room, before);
        if (!any_at_least(log_prob + begin, stop - begin, low)) continue;
        for (size_t v = begin; v < stop; v++)
            if (v != config->pad && (v != config->end || may_end))
                offer(sentence, room,
                      (Candidate){before + (double)log_prob[v], row, (uint32_t)v});
    }
}

static void find_candidates(const Search *search, Sentence *sentence) {
    const BeamConfig *config = search->config;
    size_t vocab = search->model->vocab;
    const real *log_prob = search->log_prob + sentence->first_row * vocab;
    bool must_end = search->step >= sentence->max_length;
    sentence->candidate_count = 0;
    for (size_t row = 0; row < sentence->row_count; row++, log_prob += vocab) {
        double ending = sentence->rows[row].log_prob + (double)log_prob[config->end];
        if (must_end)
            offer(sentence, 2 * config->beam, (Candidate){ending, row, config->end});
        else scan_row(search, sentence, row, log_prob);
    }
}

/* ---- one step ---------------------------------------------------------------------------- */

static size_t add_node(Search *search, size_t parent, uint32_t token) {
    GROW(search->nodes, search->node_count, search->node_room, 1);
    search->nodes[search->node_count] = (Node){parent, token};
    return search->node_count++;
}

/* Keeps the hypothesis behind those that are as good. */
static void finish(const Search *search, BeamResult *result, size_t node,
                   double log_prob) {
    size_t length = search->step;
    BeamHypothesis done = {.tokens = mem_alloc(length * sizeof *done.tokens),
                           .length = length,
                           .log_prob = log_prob,
                           .score = log_prob / pow((double)length + 1,
                                                   search->config->length_penalty)};
    for (size_t i = length; i > 0; node = search->nodes[node].parent)
        done.tokens[--i] = search->nodes[node].token;
    size_t at = result->count++;
    for (; at > 0 && result->best[at - 1].score < done.score; at--)
        result->best[at] = result->best[at - 1];
    result->best[at] = done;
}

/* Ends or continues the candidates; false: the sentence is done. */
static bool take_candidates(Search *search, Sentence *sentence) {
    size_t beam = search->config->beam, next_count = 0;
    for (size_t c = 0; c < sentence->candidate_count; c++) {
        const Candidate *candidate = &sentence->candidates[c];
        const Row *row = &sentence->rows[candidate->row];
        if (candidate->token == search->config->end) {
            if (c < beam && sentence->result->count < beam)
                finish(search, sentence->result, row->node, candidate->log_prob);
        } else if (next_count < beam) {
            search->next[next_count++] =
                (Row){candidate->log_prob, add_node(search, row->node, candidate->token),
                      sentence->first_row + candidate->row, candidate->token};
        }
    }
    memcpy(sentence->rows, search->next, next_count * sizeof *search->next);
    sentence->row_count = next_count;
    return next_count && sentence->result->count < beam;
}

static void advance_model(Search *search) {
    size_t rows = 0;
    for (size_t s = 0; s < search->count; s++) {
        Sentence *sentence = &search->sentences[s];
        sentence->first_row = rows;
        for (size_t r = 0; r < sentence->row_count; r++, rows++) {
            search->token[rows] = sentence->rows[r].token;
            search->from[rows] = sentence->rows[r].from;
        }
    }
    search->model->step(search->model->context, rows, search->token, search->from,
                        search->log_prob);
}

static void free_sentence(Sentence *sentence) {
    mem_free(sentence->rows);
    mem_free(sentence->candidates);
}

static void take_step(Search *search) {
    advance_model(search);
#pragma omp parallel for schedule(dynamic) if (search->count > 1)
    for (size_t s = 0; s < search->count; s++)
        find_candidates(search, &search->sentences[s]);
    size_t kept = 0;
    for (size_t s = 0; s < search->count; s++) {
        if (take_candidates(search, &search->sentences[s]))
            search->sentences[kept++] = search->sentences[s];
        else free_sentence(&search->sentences[s]);
    }
    search->count = kept;
    search->step++;
}

/* ---- the search -------------------------------------------------------------------------- */

static Sentence make_sentence(const BeamConfig *config, size_t index,
                              BeamResult *result) {
    Sentence sentence = {.result = result,
                         .max_length = config->max_lengths ? config->max_lengths[index]
                                                           : config->max_length,
                         .rows = mem_alloc(config->beam * sizeof *sentence.rows),
                         .row_count = 1,
                         .candidates =
                             mem_alloc(2 * config->beam * sizeof *sentence.candidates)};
    sentence.rows[0] = (Row){0, NO_NODE, index, config->start};
    result->best = mem_alloc(config->beam * sizeof *result->best);
    return sentence;
}

static Search make_search(const BeamModel *model, const BeamConfig *config,
                          BeamResult *results) {
    size_t rows, numbers, bytes;
    CHECK(config->beam >= 1 && config->end < model->vocab,
          "beam %zu, end %u of %zu tokens", config->beam, config->end, model->vocab);
    CHECK(size_mul(config->sentences, config->beam, &rows) &&
              size_mul(rows, model->vocab, &numbers) &&
              size_mul(numbers, sizeof(real), &bytes),
          "%zu sentences, beam %zu, %zu tokens", config->sentences, config->beam,
          model->vocab);
    Search search = {.model = model, .config = config, .count = config->sentences};
    search.sentences = mem_alloc(config->sentences * sizeof *search.sentences);
    search.next = mem_alloc(config->beam * sizeof *search.next);
    search.token = mem_alloc(rows * sizeof *search.token);
    search.from = mem_alloc(rows * sizeof *search.from);
    search.log_prob = mem_alloc(bytes);
    for (size_t s = 0; s < config->sentences; s++)
        search.sentences[s] = make_sentence(config, s, &results[s]);
    return search;
}

BeamResult *beam_search(const BeamModel *model, const BeamConfig *config) {
    BeamResult *results = mem_zalloc(config->sentences * sizeof *results);
    Search search = make_search(model, config, results);
    while (search.count) take_step(&search);
    mem_free(search.sentences);
    mem_free(search.nodes);
    mem_free(search.next);
    mem_free(search.token);
    mem_free(search.from);
    mem_free(search.log_prob);
    return results;
}

void beam_results_free(BeamResult *results, size_t sentences) {
    for (size_t s = 0; results && s < sentences; s++) {
        for (size_t h = 0; h < results[s].count; h++) mem_free(results[s].best[h].tokens);
        mem_free(results[s].best);
    }
    mem_free(results);
}
