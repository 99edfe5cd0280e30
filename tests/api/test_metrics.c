/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "api/metrics.h"
#include "base/buf.h"

static void write_extra(void *context, struct metrics_writer *writer)
{
    metrics_value(writer, "vma_test", "gauge", "A test.", "kind=\"a\"", 1.5);
    metrics_value(writer, "vma_test", "gauge", "A test.", "kind=\"b\"", 2);
}

static void assert_has(const struct buf *text, const char *line)
{
    if (!strstr(buf_string(text), line))
        fail_msg("missing: %s\nin:\n%s", line, buf_string(text));
}

static void what_is_counted_is_written(void **state)
{
    AUTO(buf_dispose) struct buf text = BUF(1 << 20);
    struct error err;
    struct metrics *metrics = metrics_new("1.2.3");
    metrics_route(metrics, 0, "/a");
    metrics_route(metrics, 1, "unmatched");
    metrics_request(metrics, 0, HTTP_GET, 200, 700 * 1000);
    metrics_request(metrics, 0, HTTP_GET, 200, INT64_C(20) * 1000 * 1000 * 1000);
    metrics_request(metrics, 0, HTTP_POST, 503, 0);
    metrics_request(metrics, 1, HTTP_OTHER, 404, 1);
    metrics_request(metrics, 99, HTTP_GET, 200, 1); /* no such route */
    metrics_request(metrics, 0, HTTP_GET, 9999, 1); /* no such status */
    metrics_stage(metrics, "speech", 0.3);
    metrics_stage(metrics, "speech", -1);
    metrics_add_source(metrics, write_extra, NULL);
    assert_ok(metrics_write(metrics, &text, &err), &err);
    assert_has(&text, "vma_build_info{version=\"1.2.3\",");
    assert_has(&text, "vma_http_requests_total{method=\"GET\",route=\"/a\",status=\"200\"} 2\n");
    assert_has(&text, "vma_http_requests_total{method=\"POST\",route=\"/a\",status=\"503\"} 1\n");
    assert_has(&text,
               "vma_http_requests_total{method=\"other\",route=\"unmatched\",status=\"404\"} 1\n");
    assert_has(&text, "_bucket{method=\"GET\",route=\"/a\",le=\"0.0005\"} 0\n");
    assert_has(&text, "_bucket{method=\"GET\",route=\"/a\",le=\"0.001\"} 1\n");
    assert_has(&text, "_bucket{method=\"GET\",route=\"/a\",le=\"10\"} 1\n");
    assert_has(&text, "_bucket{method=\"GET\",route=\"/a\",le=\"+Inf\"} 2\n");
    assert_has(&text, "_sum{method=\"GET\",route=\"/a\"} 20.0007\n");
    assert_has(&text, "vma_stage_duration_seconds_count{stage=\"speech\"} 2\n");
    assert_has(&text, "# TYPE vma_test gauge\nvma_test{kind=\"a\"} 1.5\nvma_test{kind=\"b\"} 2\n");
    metrics_free(metrics);
}

static void a_page_without_room_is_an_error(void **state)
{
    AUTO(buf_dispose) struct buf text = BUF(100);
    struct error err;
    struct metrics *metrics = metrics_new("1");
    assert_false(metrics_write(metrics, &text, &err));
    assert_int_equal(err.kind, ERROR_LIMIT);
    metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_counted_is_written),
        cmocka_unit_test(a_page_without_room_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
