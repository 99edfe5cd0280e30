/* SPDX-License-Identifier: Apache-2.0 */
/* The web page: the built files, or a page that says how to build them. */
#include "api/endpoint.h"
#include "base/error.h"
#include "base/text.h"
#include "http/files.h"

static const char fallback[] =
    "<!doctype html>\n"
    "<html lang=\"en\">\n"
    "<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n"
    "<title>Video Message App</title>\n"
    "<link rel=\"stylesheet\" href=\"/docs/style.css\"></head>\n"
    "<body><main><h1>Video Message App</h1>\n"
    "<p>The service is running, but its page has not been built. Run <code>make web</code> and "
    "start again.</p>\n"
    "<p lang=\"ja\">サービスは動いていますが、ページがまだ作られていません。<code>make web</code> "
    "を実行してから、もう一度起動してください。</p>\n"
    "<p>The programming interface works: <a href=\"/docs\">/docs</a>, "
    "<a href=\"/health\">/health</a>.</p>\n"
    "</main></body></html>\n";

/* Only our own files; pictures and videos that the page makes itself (blob:). */
static const char policy[] =
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

static void protect(struct http_response *response)
{
    http_response_header(response, "Content-Security-Policy", policy);
    http_response_header(response, "Referrer-Policy", "same-origin");
    http_response_header(response, "Cross-Origin-Opener-Policy", "same-origin");
    http_response_header(response, "Permissions-Policy",
                         "camera=(self), microphone=(), geolocation=()");
}

/* Is this an address of the page itself, not of one of its files? */
static bool is_page(const char *path)
{
    return *path == '\0' || strcmp(path, "index.html") == 0;
}

/* GET /{path...} */
bool api_page(struct api *api, const struct http_request *request, struct http_response *response,
              struct error *err)
{
    const char *path = http_request_param(request, "path");
    bool page = is_page(path);
    protect(response);
    if (page && !api->page) {
        http_response_header(response, "Cache-Control", "no-cache");
        http_response_static(response, "text/html; charset=utf-8", bytes_of(fallback));
        return true;
    }
    if (!api->page || text_starts(path, "api/") || text_ends(path, "/") || text_ends(path, ".gz")) {
        error_set(err, ERROR_NOT_FOUND, "no such path");
        return error_about(err, NULL, "not_found");
    }
    /* Vite puts a hash of the content into the names below assets/. */
    return http_response_tree(request, response, api->page, page ? "index.html" : path,
                              text_starts(path, "assets/"), err);
}
