/* params and tensor: slabs, offsets, names, gradients that nobody wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/core/params.h"

static ParamSet *make_set(void) {
    ParamSet *set = params_new();
    params_add(set, PARAM_MATRIX, 2, (size_t[]){3, 7}, "%s.weight", "a");
    params_add(set, PARAM_BUFFER, 1, (size_t[]){7}, "a.u");
    params_add(set, PARAM_VECTOR, 1, (size_t[]){17}, "a.bias");
    params_add(set, PARAM_GAIN, 1, (size_t[]){1}, "a.gamma");
    params_add(set, PARAM_BUFFER, 1, (size_t[]){3}, "a.v");
    params_finish(set);
    return set;
}

static void tensors_lie_aligned_in_order_of_registration(void **state) {
    (void)state;
    ParamSet *set = make_set();
    const size_t offsets[] = {0, 0, 32, 64, 16};
    for (size_t i = 0; i < set->count; i++) {
        const Param *p = set->list[i];
        assert_int_equal(p->offset, offsets[i]);
        real *slab = param_is_trained(p) ? set->values : set->buffers;
        assert_ptr_equal(p->tensor.value, slab + p->offset);
        assert_int_equal((uintptr_t)p->tensor.value % 64, 0);
        if (param_is_trained(p)) assert_ptr_equal(p->tensor.grad, set->grads + p->offset);
    }
    assert_int_equal(set->trained, 80);
    assert_int_equal(params_trained_count(set), 21 + 17 + 1);
    for (size_t i = 0; i < set->trained; i++) assert_true(set->values[i] == 0);
    params_free(set);
}

static void buffers_have_no_gradient(void **state) {
    (void)state;
    ParamSet *set = make_set();
    const Param *u = params_find(set, "a.u");
    assert_null(u->tensor.grad);
    assert_false(u->tensor.needs_grad);
    assert_true(params_find(set, "a.gamma")->tensor.needs_grad);
    params_free(set);
}

static void names_are_found_and_others_are_not(void **state) {
    (void)state;
    ParamSet *set = make_set();
    assert_ptr_equal(params_find(set, "a.weight"), set->list[0]);
    assert_null(params_find(set, "a.weigh"));
    params_free(set);
}

static void pointers_stay_valid_while_the_set_grows(void **state) {
    (void)state;
    ParamSet *set = params_new();
    Param *params[100];
    for (size_t i = 0; i < 100; i++)
        params[i] = params_add(set, PARAM_VECTOR, 1, (size_t[]){i}, "p%zu", i);
    params_finish(set);
    for (size_t i = 0; i < 100; i++) {
        char name[16];
        text_format(name, sizeof name, "p%zu", i);
        assert_ptr_equal(set->list[i], params[i]);
        assert_ptr_equal(params_find(set, name), params[i]);
        assert_int_equal(params[i]->tensor.size, i);
    }
    params_free(set);
}

static void an_empty_set_works(void **state) {
    (void)state;
    ParamSet *set = params_new();
    params_finish(set);
    assert_int_equal(params_trained_count(set), 0);
    params_clear_grads(set);
    params_settle_grads(set);
    params_free(set);
}

static void settling_zeroes_only_gradients_that_nobody_wrote(void **state) {
    (void)state;
    ParamSet *set = make_set();
    Tensor *weight = &set->list[0]->tensor, *bias = &set->list[2]->tensor;
    weight->grad[3] = 5;
    bias->grad[16] = 6;
    params_clear_grads(set);
    assert_true(weight->grad[3] == 5);
    weight->grad_written = true;
    params_settle_grads(set);
    assert_true(weight->grad[3] == 5 && bias->grad[16] == 0 && bias->grad_written);
    params_free(set);
}

static void shapes_are_written_as_lists(void **state) {
    (void)state;
    Tensor x = {0};
    char text[64];
    tensor_set_shape(&x, 3, (size_t[]){8, 17, 64});
    assert_string_equal(tensor_shape_text(&x, text, sizeof text), "[8, 17, 64]");
    assert_int_equal(x.size, 8 * 17 * 64);
    assert_int_equal(tensor_rows(&x), 8 * 17);
    tensor_set_shape(&x, 1, (size_t[]){5});
    assert_string_equal(tensor_shape_text(&x, text, sizeof text), "[5]");
    tensor_set_shape(&x, 0, NULL);
    assert_string_equal(tensor_shape_text(&x, text, sizeof text), "[]");
    assert_int_equal(x.size, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_lie_aligned_in_order_of_registration),
        cmocka_unit_test(buffers_have_no_gradient),
        cmocka_unit_test(names_are_found_and_others_are_not),
        cmocka_unit_test(pointers_stay_valid_while_the_set_grows),
        cmocka_unit_test(an_empty_set_works),
        cmocka_unit_test(settling_zeroes_only_gradients_that_nobody_wrote),
        cmocka_unit_test(shapes_are_written_as_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
