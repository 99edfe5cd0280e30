/* SPDX-License-Identifier: Apache-2.0 */
/* Every route is described: what the router takes and what /openapi.json says are one table, so a
 * row that leaves its description out is the only way in which they could differ. */
#include "support/test.h"

#include <stdio.h>

#include "api/endpoint.h"

static bool undescribed(const struct endpoint *endpoint)
{
    static const char *const patterns[] = {"/docs/style.css", "/{path...}"}; /* for browsers only */
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        if (strcmp(endpoint->pattern, patterns[i]) == 0)
            return true;
    return false;
}

static void every_route_but_those_of_the_page_is_described(void **state)
{
    for (size_t i = 0; i < endpoint_count(); i++) {
        const struct endpoint *endpoint = &endpoints[i];
        if (undescribed(endpoint)) {
            assert_null(endpoint->id);
            continue;
        }
        assert_true(endpoint->id && endpoint->id[0]);
        assert_true(endpoint->group && endpoint->group[0]);
        assert_true(endpoint->summary && endpoint->summary[0]);
        assert_true(endpoint->answers && endpoint->answers[0].status >= 200);
        for (size_t j = 0; j < i; j++) {
            bool same_route = strcmp(endpoints[j].pattern, endpoint->pattern) == 0 &&
                              endpoints[j].method == endpoint->method;
            assert_false(same_route);
            if (endpoint->id && endpoints[j].id)
                assert_string_not_equal(endpoints[j].id, endpoint->id);
        }
    }
}

static bool has_path_field(const struct endpoint *endpoint, const char *name, size_t size)
{
    for (const struct field *field = endpoint->fields; field && field->name; field++)
        if (field->place == FIELD_PATH && strlen(field->name) == size &&
            memcmp(field->name, name, size) == 0)
            return field->required;
    return false;
}

static void every_part_of_a_path_is_described_and_the_other_way_round(void **state)
{
    for (size_t i = 0; i < endpoint_count(); i++) {
        const struct endpoint *endpoint = &endpoints[i];
        if (undescribed(endpoint))
            continue;
        for (const char *at = strchr(endpoint->pattern, '{'); at; at = strchr(at + 1, '{'))
            assert_true(has_path_field(endpoint, at + 1, strcspn(at + 1, "}")));
        for (const struct field *field = endpoint->fields; field && field->name; field++) {
            char part[64];
            snprintf(part, sizeof part, "{%s}", field->name);
            assert_true(field->place != FIELD_PATH || strstr(endpoint->pattern, part));
            assert_true(field->help && field->help[0]);
            assert_true(field->place != FIELD_FORM || endpoint->max_body > 0);
            assert_true(field->place != FIELD_JSON || endpoint->max_json > 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_but_those_of_the_page_is_described),
        cmocka_unit_test(every_part_of_a_path_is_described_and_the_other_way_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
