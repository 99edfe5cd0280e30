/* SPDX-License-Identifier: Apache-2.0 */
/* GET /docs: the route table as a page to read. */
#include "api/endpoint.h"

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"

enum { MAX_PAGE = 512 * 1024 };

static const char style[] =
    ":root{color-scheme:light dark;--line:#8884;--soft:#f3f1ec;--accent:#0b6288;--paper:#fff;"
    "--ink:#1d1b19}\n"
    "@media(prefers-color-scheme:dark){:root{--accent:#6cc6ea;--paper:#161413;--ink:#efeae4;"
    "--soft:#262321}}\n"
    "body{font:1rem/1.6 system-ui,sans-serif;margin:0;background:var(--paper);color:var(--ink)}\n"
    "a:focus-visible,pre:focus-visible{outline:3px solid var(--accent);outline-offset:2px}\n"
    "main{max-width:56rem;margin:0 auto;padding:1.5rem 1rem 4rem}\n"
    "h1{font-size:1.7rem;margin:0 0 .5rem}\n"
    "h2{font-size:1.2rem;margin:2.5rem 0 .5rem;text-transform:capitalize}\n"
    "section{border:1px solid var(--line);border-radius:.6rem;margin:1rem 0;padding:.8rem 1rem}\n"
    "h3{font-size:1rem;margin:0;display:flex;flex-wrap:wrap;gap:.6rem;align-items:baseline}\n"
    "code,pre{font:.92em ui-monospace,monospace;overflow-wrap:anywhere}\n"
    "pre{background:var(--soft);padding:.8rem;border-radius:.5rem;overflow-x:auto}\n"
    ".method{color:var(--accent);font-weight:700}\n"
    "table{border-collapse:collapse;width:100%;margin:.6rem 0}\n"
    "td,th{border-top:1px solid var(--line);padding:.35rem .6rem .35rem 0;text-align:left;"
    "vertical-align:top}\n"
    "th{font-weight:600;white-space:nowrap;width:1%}\n"
    "td:nth-child(2){width:1%;white-space:nowrap}td:nth-child(2) code{overflow-wrap:normal}\n"
    "a{color:var(--accent)}nav{display:flex;flex-wrap:wrap;gap:0 1rem}"
    "nav a{display:inline-block;padding:.6rem 0}[aria-label] a{text-transform:capitalize}\n"
    /* On a telephone a row is a name, what it is, and the sentence below both. */
    "@media(max-width:40rem){table,tbody{display:block}"
    "tr{display:flex;flex-wrap:wrap;gap:0 .8rem;padding:.5rem 0;"
    "border-top:1px solid var(--line)}"
    "th,td,td:nth-child(2){display:block;width:auto;padding:0;border:0;white-space:normal}"
    "td:nth-child(3){flex-basis:100%}pre{white-space:pre-wrap}}\n";

static const char last_group[] = "operation";

static const char example[] = "curl -X POST http://localhost:55433/api/video/generate \\\n"
                              "     -F image=@photo.jpg -F text='こんにちは' -o answer.json";

bool api_docs_style(struct api *api, const struct http_request *request,
                    struct http_response *response, struct error *err)
{
    http_response_header(response, "Cache-Control", "no-cache");
    http_response_static(response, "text/css; charset=utf-8", bytes_of(style));
    return true;
}

/* Text of ours, but some of it holds < and &. */
static bool put(struct buf *out, const char *text, struct error *err)
{
    for (; *text; text++) {
        const char *plain = *text == '<'   ? "&lt;"
                            : *text == '&' ? "&amp;"
                            : *text == '"' ? "&quot;"
                                           : NULL;
        if (plain ? !buf_text(out, plain, err)
                  : !buf_append(out, (struct bytes){(const uint8_t *)text, 1}, err))
            return false;
    }
    return true;
}

static bool put_limits(struct buf *out, const struct field *field, struct error *err)
{
    bool number = field->kind == FIELD_NUMBER || field->kind == FIELD_INTEGER;
    if (number && !buf_printf(out, err, " %g to %g.", field->min, field->max))
        return false;
    for (const char *const *choice = field->choices; choice && *choice; choice++)
        if (!buf_printf(out, err, "%s<code>%s</code>", choice == field->choices ? " " : ", ",
                        *choice))
            return false;
    if (field->choices && !buf_text(out, ".", err))
        return false;
    return !field->initial || buf_printf(out, err, " Default <code>%s</code>.", field->initial);
}

static bool put_field(struct buf *out, const struct field *field, struct error *err)
{
    static const char *const places[] = {[FIELD_FORM] = "form",
                                         [FIELD_PATH] = "path",
                                         [FIELD_QUERY] = "query",
                                         [FIELD_HEADER] = "header",
                                         [FIELD_JSON] = "JSON"};
    return buf_printf(out, err, "<tr><th><code>%s</code></th><td>%s%s</td><td>", field->name,
                      places[field->place], field->required ? ", needed" : "") &&
           put(out, field->help, err) && put_limits(out, field, err) &&
           buf_text(out, "</td></tr>\n", err);
}

static bool put_endpoint(struct buf *out, const struct endpoint *endpoint, struct error *err)
{
    if (!buf_printf(out, err,
                    "<section id=\"%s\"><h3><span class=\"method\">%s</span> <code>%s</code></h3>"
                    "\n<p>",
                    endpoint->id, http_method_name(endpoint->method), endpoint->pattern) ||
        !put(out, endpoint->summary, err) || !buf_text(out, ". ", err) ||
        !put(out, endpoint->help ? endpoint->help : "", err) || !buf_text(out, "</p>\n", err))
        return false;
    if (endpoint->fields && !buf_text(out, "<table>\n", err))
        return false;
    for (const struct field *field = endpoint->fields; field && field->name; field++)
        if (!put_field(out, field, err))
            return false;
    if (endpoint->fields && !buf_text(out, "</table>\n", err))
        return false;
    if (!buf_text(out, "<table>\n", err))
        return false;
    for (const struct answer *answer = endpoint->answers; answer && answer->status; answer++) {
        if (!buf_printf(out, err, "<tr><th>%d</th><td><code>%s</code></td><td>", answer->status,
                        answer->type ? answer->type : "") ||
            !put(out, answer->help, err) || !buf_text(out, "</td></tr>\n", err))
            return false;
    }
    return buf_text(out, "</table></section>\n", err);
}

static bool shown(const struct endpoint *endpoint, unsigned roles)
{
    return endpoint->id && (endpoint->roles == API_ALWAYS || (endpoint->roles & roles));
}

/* Is this the first row of its group? */
static bool begins_group(size_t row, unsigned roles)
{
    if (!shown(&endpoints[row], roles))
        return false;
    for (size_t i = 0; i < row; i++)
        if (shown(&endpoints[i], roles) && strcmp(endpoints[i].group, endpoints[row].group) == 0)
            return false;
    return true;
}

static bool put_group(struct buf *out, unsigned roles, const char *group, struct error *err)
{
    if (!buf_printf(out, err, "<h2 id=\"%s\">%s</h2>\n", group, group))
        return false;
    for (size_t i = 0; i < endpoint_count(); i++) {
        const struct endpoint *endpoint = &endpoints[i];
        bool belongs = shown(endpoint, roles) && strcmp(endpoint->group, group) == 0;
        if (belongs && !put_endpoint(out, endpoint, err))
            return false;
    }
    return true;
}

/* Links to the groups, in the order in which they come. */
static bool put_contents(struct buf *out, unsigned roles, struct error *err)
{
    static const char entry[] = "<a href=\"#%s\">%s</a>\n";

    if (!buf_text(out, "<nav aria-label=\"Contents\">\n", err))
        return false;
    for (size_t i = 0; i < endpoint_count(); i++) {
        const char *group = endpoints[i].group;
        bool now = begins_group(i, roles) && strcmp(group, last_group) != 0;
        if (now && !buf_printf(out, err, entry, group, group))
            return false;
    }
    return buf_printf(out, err, entry, last_group, last_group) &&
           buf_printf(out, err, entry, "problems", "problems") && buf_text(out, "</nav>\n", err);
}

/* In the order of the table, but what is for the operator last. */
static bool put_groups(struct buf *out, unsigned roles, struct error *err)
{
    for (size_t i = 0; i < endpoint_count(); i++) {
        const char *group = endpoints[i].group;
        bool now = begins_group(i, roles) && strcmp(group, last_group) != 0;
        if (now && !put_group(out, roles, group, err))
            return false;
    }
    return put_group(out, roles, last_group, err);
}

static bool put_problems(struct buf *out, struct error *err)
{
    if (!buf_text(out, "<h2 id=\"problems\">Problems</h2>\n<table>\n", err))
        return false;
    for (size_t i = 0; i < problem_count(); i++) {
        const struct problem_row *row = problem_at(i);
        if (!buf_printf(out, err, "<tr><th><code>%s</code></th><td>%d</td><td>", row->code,
                        row->status) ||
            !put(out, row->detail[LANGUAGE_EN], err) ||
            !buf_text(out, "<br><span lang=\"ja\">", err) ||
            !put(out, row->detail[LANGUAGE_JA], err) || !buf_text(out, "</span></td></tr>\n", err))
            return false;
    }
    return buf_text(out, "</table>\n", err);
}

bool api_docs(struct api *api, const struct http_request *request, struct http_response *response,
              struct error *err)
{
    AUTO(buf_dispose) struct buf page = BUF(MAX_PAGE);
    bool fine =
        buf_text(&page,
                 "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                 "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                 "<title>Video Message App: API</title>\n"
                 "<link rel=\"icon\" href=\"/icons/icon.svg\" type=\"image/svg+xml\">\n"
                 "<link rel=\"stylesheet\" href=\"/docs/style.css\"></head><body><main>\n"
                 "<h1>Video Message App: API</h1>\n"
                 "<nav><a href=\"/\">The page</a><a href=\"/openapi.json\">OpenAPI 3.1</a>"
                 "<a href=\"/health\">Health</a></nav>\n"
                 "<p>A photo and a sentence become a talking video message. Errors are problem "
                 "documents (RFC 9457) in Japanese or English, by <code>Accept-Language</code>; "
                 "<code>code</code> stays the same in every language.</p>\n<pre tabindex=\"0\">",
                 err) &&
        put(&page, example, err) && buf_text(&page, "</pre>\n", err) &&
        put_contents(&page, api->roles, err);
    if (!fine || !put_groups(&page, api->roles, err) || !put_problems(&page, err) ||
        !buf_text(&page, "</main></body></html>\n", err))
        return false;
    http_response_header(response, "Content-Security-Policy",
                         "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
                         "frame-ancestors 'none'");
    http_response_header(response, "Cache-Control", "no-cache");
    http_response_take(response, "text/html; charset=utf-8", &page);
    return true;
}
