#include "models/stack.h"

void stack_build(Model *model, Stack *stack, const BlockSpec *spec) {
    const ModelConfig *c = &model->config;
    *stack =
        (Stack){.spec = *spec, .blocks = mem_zalloc(spec->depth * sizeof *stack->blocks)};
    for (size_t i = 0; i < spec->depth; i++) {
        params_begin_layer(model->params, i + 1);
        block_build(model, &stack->blocks[i], spec, i);
    }
    params_begin_layer(model->params, spec->depth + 1);
    if (c->norm == NORM_PRE && c->final_norm)
        norm_build(model, &stack->norm, spec->eps, "%snorm", spec->prefix);
}

void stack_release(Stack *stack) { mem_free(stack->blocks); }

void stack_initialize(const Model *model, Stack *stack, uint64_t seed) {
    for (size_t i = 0; i < stack->spec.depth; i++)
        block_initialize(model, &stack->blocks[i], &stack->spec, seed);
    norm_initialize(&stack->norm);
}

/* ---- running ---- */

typedef struct BlockRun {
    Block *block;
    ForwardMode mode;
    BlockInput input;
} BlockRun;

static Tensor *run_block(Tape *tape, void *context, Tensor *x) {
    BlockRun *run = context;
    return block_forward(tape, run->block, &run->mode, &run->input, x);
}

Tensor *stack_run(Tape *tape, Stack *stack, size_t depth, const ForwardMode *mode,
                  const BlockInput *input, KeyCache *caches, Tensor *x) {
    for (size_t i = 0; i < depth; i++) {
        BlockRun *run = tape_alloc(tape, sizeof *run);
        *run = (BlockRun){&stack->blocks[i], *mode, *input};
        if (caches) run->input.self = &caches[2 * i];
        if (caches && stack->spec.cross) run->input.cross = &caches[2 * i + 1];
        /* Without gradients nothing of a block is read again: its memory
         * is the next one's. */
        bool forget = mode->recompute || !tape_mode(tape)->gradients;
        x = forget ? tape_recompute(tape, run_block, run, x) : run_block(tape, run, x);
    }
    return x;
}

Tensor *stack_forward(Tape *tape, Stack *stack, const ForwardMode *mode,
                      const BlockInput *input, KeyCache *caches, Tensor *x) {
    x = stack_run(tape, stack, stack->spec.depth, mode, input, caches, x);
    return norm_forward(tape, &stack->norm, x);
}

/* ---- counting ---- */

static double layer_flops(const LinearLayer *layer, double rows) {
    return 2 * rows * (double)layer->weight->tensor.size;
}

static double attention_flops(const AttentionPart *part, double tokens, double keys,
                              double key_tokens, bool cross) {
    double width = (double)part->proj.weight->tensor.shape[0];
    double sum = layer_flops(&part->proj, tokens) + 4 * tokens * keys * width;
    for (size_t i = 0; i < part->in_count; i++)
        sum += layer_flops(&part->in[i], cross && i ? key_tokens : tokens);
    return sum;
}

double stack_flops(const Stack *stack, double tokens, double keys, double memory,
                   double memory_tokens) {
    double sum = 0;
    for (size_t i = 0; i < stack->spec.depth; i++) {
        const Block *block = &stack->blocks[i];
        sum += attention_flops(&block->self, tokens, keys, tokens, false);
        if (block->has_cross)
            sum += attention_flops(&block->cross, tokens, memory, memory_tokens, true);
        sum += layer_flops(&block->fc1, tokens) + layer_flops(&block->fc2, tokens);
    }
    return sum;
}

/* One block: queries, keys and values, what attention gives, the sums and
 * norms, hidden units. */
static double block_memory(const Block *b, double tokens, double memory_tokens) {
    double width = (double)b->self.proj.weight->tensor.shape[0];
    double hidden = (double)b->fc1.weight->tensor.shape[0];
    double branches = b->has_cross ? 3 : 2;
    bool behind = b->place == NORM_POST || b->place == NORM_DEEPNORM;
    double rows = 4 + branches + (b->has_cross ? 2 : 0) + (behind ? branches : 0);
    double sum = tokens * (rows * width + hidden);
    if (b->has_cross) sum += 2 * width * memory_tokens;
    if (b->config->activation_dropout > 0) sum += 2 * hidden * tokens;
    return sum;
}

double stack_memory(const Stack *stack, double tokens, double memory_tokens,
                    bool recompute) {
    const Block *b = &stack->blocks[0];
    double width = (double)b->self.proj.weight->tensor.shape[0];
    double hidden = (double)b->fc1.weight->tensor.shape[0];
    double one = block_memory(b, tokens, memory_tokens),
           depth = (double)stack->spec.depth;
    double gradients = tokens * (4 * width + 2 * hidden);
    return gradients + (recompute ? depth * tokens * width + one : depth * one);
}
