#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/core/base.h"
#include "engine/core/grow.h"

static void a_list_keeps_its_items_while_it_grows(void **state) {
    (void)state;
    unsigned *list = NULL;
    size_t count = 0, room = 0, moves = 0;
    while (count < 1000) {
        const unsigned *before = list;
        GROW(list, count, room, 1);
        assert_true(room > count);
        moves += list != before;
        list[count] = (unsigned)count;
        count++;
    }
    for (size_t i = 0; i < count; i++) assert_int_equal(list[i], i);
    assert_in_range(moves, 1, 8); /* it doubles */
    mem_free(list);
}

static void room_for_many_is_made_at_once(void **state) {
    (void)state;
    double *list = NULL;
    size_t room = 0;
    GROW(list, 0, room, 777);
    assert_true(room >= 777);
    double *before = list;
    GROW(list, 700, room, 77);
    assert_ptr_equal(list, before);
    GROW(list, 777, room, room - 777);
    assert_ptr_equal(list, before);
    mem_free(list);
}

static void items_larger_than_a_line_have_room(void **state) {
    (void)state;
    struct {
        char text[1000];
    } *list = NULL;
    size_t room = 0;
    GROW(list, 0, room, 1);
    assert_int_equal(room, 1);
    mem_free(list);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_list_keeps_its_items_while_it_grows),
        cmocka_unit_test(room_for_many_is_made_at_once),
        cmocka_unit_test(items_larger_than_a_line_have_room),
    };
    return cmocka_run_group_tests_name("grow", cases, NULL, NULL);
}
