/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/reconcile.h"

/* One side deleted what the other changed: the change is kept, since the reverse would lose it.
 * A folder's own entry carries nothing that could be lost. */
static enum verdict deleted_or_changed(const struct triple *t)
{
    if (!t->local.kind)
        return t->remote.kind == ENTRY_DIR && t->base.kind == ENTRY_DIR ? VERDICT_PUSH
                                                                        : VERDICT_PULL;
    return t->local.kind == ENTRY_DIR && t->base.kind == ENTRY_DIR ? VERDICT_PULL : VERDICT_PUSH;
}

static enum verdict both_changed(enum sync_mode mode, const struct triple *t)
{
    if (mode == SYNC_TWO_WAY_RESOLVED)
        return VERDICT_PUSH;
    if (mode == SYNC_ONE_WAY_SAFE)
        return t->local.kind == ENTRY_DIR && t->remote.kind == ENTRY_DIR ? VERDICT_PUSH
                                                                         : VERDICT_CONFLICT;
    if (!t->local.kind || !t->remote.kind)
        return deleted_or_changed(t);
    if (entry_same_content(&t->local, &t->remote)) /* only permissions differ */
        return VERDICT_PUSH;
    return VERDICT_CONFLICT;
}

static enum verdict one_way_safe(const struct triple *t)
{
    if (entry_equal(&t->remote, &t->base))
        return VERDICT_PUSH;
    if (!t->remote.kind) /* deleted there: nothing is lost by sending it again */
        return t->local.kind ? VERDICT_PUSH : VERDICT_AGREE;
    if (!t->local.kind && !t->base.kind) /* made there */
        return VERDICT_NONE;
    if (entry_equal(&t->local, &t->base)) /* changed there, not here */
        return VERDICT_NONE;
    return both_changed(SYNC_ONE_WAY_SAFE, t);
}

enum verdict reconcile(enum sync_mode mode, const struct triple *t)
{
    if (entry_equal(&t->local, &t->remote))
        return entry_equal(&t->local, &t->base) ? VERDICT_NONE : VERDICT_AGREE;
    if (mode == SYNC_MIRROR)
        return VERDICT_PUSH;
    if (mode == SYNC_ONE_WAY_SAFE)
        return one_way_safe(t);
    if (entry_equal(&t->remote, &t->base))
        return VERDICT_PUSH;
    if (entry_equal(&t->local, &t->base))
        return VERDICT_PULL;
    return both_changed(mode, t);
}
