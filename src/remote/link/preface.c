/* SPDX-License-Identifier: Apache-2.0 */
#include "link/preface.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"

/* The next word, cut to fit. */
static void word(struct bytes *rest, char *out, size_t room)
{
    while (rest->size && rest->data[0] == ' ') {
        rest->data++;
        rest->size--;
    }
    struct bytes word = {rest->data, 0};
    while (rest->size && rest->data[0] != ' ') {
        word.size++;
        rest->data++;
        rest->size--;
    }
    text_show(word, out, room);
}

static bool begins(struct bytes *line, const char *prefix)
{
    size_t length = strlen(prefix);
    if (line->size < length || memcmp(line->data, prefix, length) != 0)
        return false;
    line->data += length;
    line->size -= length;
    return true;
}

void preface_parse(struct bytes line, struct preface *out)
{
    *out = (struct preface){.kind = PREFACE_NOISE};
    if (line.size && line.data[line.size - 1] == '\r')
        line.size--;
    if (begins(&line, "VMA-NEED ")) {
        out->kind = PREFACE_NEED;
        word(&line, out->system, sizeof out->system);
        word(&line, out->machine, sizeof out->machine);
        word(&line, out->unpacker, sizeof out->unpacker);
    } else if (begins(&line, "VMA-READY ")) {
        char how[16];
        word(&line, how, sizeof how);
        out->kind = strcmp(how, "new") == 0 ? PREFACE_READY_NEW : PREFACE_READY_RESUMED;
    } else if (begins(&line, "VMA-GONE")) {
        out->kind = PREFACE_GONE;
    } else if (begins(&line, "VMA-ERROR ")) {
        out->kind = PREFACE_ERROR;
        text_show(text_trim(line), out->text, sizeof out->text);
    }
}

/* Inside of single quotes, so there are none in here; nor "!" (csh) or a backslash (fish). */
static const char install[] =
    "fail() { echo; echo \"VMA-ERROR $1\"; exit 1; }; "
    "d=\"${XDG_CACHE_HOME:-$HOME/.cache}/vma/agents\"; a=\"$d/$k/vma\"; "
    "if [ -x \"$a\" ] && [ -s \"$a\" ]; then :; else "
    "z=none; command -v zstd >/dev/null 2>&1 && z=zstd; "
    "echo; echo \"VMA-NEED $(uname -s) $m $z\"; "
    "read -r size sum how || exit 1; "
    "umask 077; e=$(mkdir -p \"$d/$k\" 2>&1) || fail \"cannot make $d/$k: ${e##*: }\"; "
    "t=\"$d/$k/vma.$$\"; u=cat; [ \"$how\" = zstd ] && u=\"zstd -dcq\"; "
    "e=$( { head -c \"$size\" | $u > \"$t\"; } 2>&1 ) || { rm -f \"$t\"; "
    "fail \"cannot write $t: ${e##*: }\"; }; "
    "chmod 700 \"$t\" || fail \"cannot write $t\"; "
    "[ -x \"$t\" ] || { rm -f \"$t\"; fail \"programs cannot run in $d (noexec?): set "
    "XDG_CACHE_HOME there to another folder\"; }; "
    "if command -v sha256sum >/dev/null 2>&1; then s=$(sha256sum < \"$t\"); "
    "elif command -v shasum >/dev/null 2>&1; then s=$(shasum -a 256 < \"$t\"); "
    "else s=$(\"$t\" agent hash); fi; "
    "if [ \"${s%% *}\" = \"$sum\" ]; then :; else rm -f \"$t\"; "
    "fail \"the agent arrived damaged\"; fi; "
    "sync \"$t\" 2>/dev/null; " /* a machine that stops now has the whole of it, or nothing */
    "mv -f \"$t\" \"$a\" || fail \"cannot write $a\"; "
    "for o in \"$d\"/*-\"$m\"-*; do [ \"$o\" = \"$d/$k\" ] || rm -rf \"$o\"; done; "
    "fi; ";

bool preface_command(const struct preface_plan *plan, struct buf *out, struct error *err)
{
    bool fits = buf_text(out,
                         "exec sh -c 'm=$(uname -m); case $m in amd64) m=x86_64;; "
                         "arm64) m=aarch64;; esac; k=none; case $(uname -s)-$m in ",
                         err);
    for (size_t i = 0; i < plan->agents_count; i++) {
        assert(!strpbrk(plan->agents[i].key, "'\"\\$`;/ "));
        fits = fits && buf_printf(out, err, "Linux-%s) k=%s;; ", plan->agents[i].machine,
                                  plan->agents[i].key);
    }
    return fits && buf_text(out, "esac; ", err) && buf_text(out, install, err) &&
           buf_printf(out, err, "exec \"$a\" agent attach%s --session %s --keep %lldms'",
                      plan->fresh ? " --fresh" : "", plan->session, (long long)plan->keep_ms);
}
