/* The ops, one a line.  test/grad asks each name for a gradient case, so an op without
 * one does not link. */
#define OP_LIST(OP)                                                                      \
    OP(linear)                                                                           \
    OP(linear_fused)                                                                     \
    OP(attention)                                                                        \
    OP(layer_norm)                                                                       \
    OP(gelu)                                                                             \
    OP(relu)                                                                             \
    OP(patchify)                                                                         \
    OP(prepend_token)                                                                    \
    OP(embedding)                                                                        \
    OP(add_position)                                                                     \
    OP(take_token)                                                                       \
    OP(mean_tokens)                                                                      \
    OP(add)                                                                              \
    OP(dropout)                                                                          \
    OP(drop_path)                                                                        \
    OP(cross_entropy)                                                                    \
    OP(vocab_loss)                                                                       \
    OP(linear_transposed)                                                                \
    OP(take_rows)                                                                        \
    OP(merge_rows)                                                                       \
    OP(dropout_rows)                                                                     \
    OP(adaptive_embedding)                                                               \
    OP(adaptive_loss)                                                                    \
    OP(ctc)                                                                              \
    OP(glu)                                                                              \
    OP(add_scalar)                                                                       \
    OP(masked_norm)                                                                      \
    OP(batch_norm)                                                                       \
    OP(nt_xent)                                                                          \
    OP(frames)                                                                           \
    OP(conv1d)
