/* SPDX-License-Identifier: Apache-2.0 */
/* Any store, until it is not. For tests. */
#include <stdatomic.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/mem.h"
#include "store/store_internal.h"

struct faulty {
    struct store base;
    struct store *inner;
    atomic_uint healthy; /* calls still to let through */
};

static struct store *inner_of(struct store *store)
{
    return ((struct faulty *)store)->inner;
}

static bool let_through(struct store *store, struct error *err)
{
    struct faulty *self = (struct faulty *)store;
    unsigned left = atomic_load(&self->healthy);
    while (left > 0 && !atomic_compare_exchange_weak(&self->healthy, &left, left - 1))
        ;
    return left > 0 || error_set(err, ERROR_UNAVAILABLE, "the store is away (injected)");
}

static bool faulty_put(struct store *store, const struct store_key *key, struct bytes content,
                       struct error *err)
{
    return let_through(store, err) && store_put(inner_of(store), key, content, err);
}

static bool faulty_adopt(struct store *store, const struct store_key *key, const char *path,
                         struct error *err)
{
    return let_through(store, err) && store_adopt(inner_of(store), key, path, err);
}

static bool faulty_open(struct store *store, const struct store_key *key, struct store_object *out,
                        struct error *err)
{
    return let_through(store, err) && store_open(inner_of(store), key, out, err);
}

static char *faulty_path(struct store *store, const struct store_key *key, struct error *err)
{
    return let_through(store, err) ? store_path(inner_of(store), key, err) : NULL;
}

static bool faulty_renew(struct store *store, const struct store_key *key)
{
    return let_through(store, NULL) && store_renew(inner_of(store), key);
}

static bool faulty_remove(struct store *store, const struct store_key *key, struct error *err)
{
    return let_through(store, err) && store_remove(inner_of(store), key, err);
}

static char *faulty_scratch(struct store *store, const char *suffix, struct error *err)
{
    return let_through(store, err) ? store_scratch(inner_of(store), suffix, err) : NULL;
}

static bool faulty_room(struct store *store, int64_t bytes, struct error *err)
{
    return let_through(store, err) && store_room(inner_of(store), bytes, err);
}

static bool faulty_sweep(struct store *store, int64_t now_ms, int64_t *out_removed,
                         struct error *err)
{
    return let_through(store, err) && store_sweep(inner_of(store), now_ms, out_removed, err);
}

static bool faulty_usage(struct store *store, struct store_usage *out, struct error *err)
{
    return let_through(store, err) && store_usage(inner_of(store), out, err);
}

static void faulty_free(struct store *store)
{
    store_free(inner_of(store));
    free(store);
}

struct store *store_faulty_new(struct store **inner, unsigned healthy)
{
    static const struct store_ops ops = {
        faulty_put,     faulty_adopt, faulty_open,  faulty_path,  faulty_renew, faulty_remove,
        faulty_scratch, faulty_room,  faulty_sweep, faulty_usage, faulty_free,
    };
    struct faulty *self = xcalloc(1, sizeof *self);
    self->base.ops = &ops;
    self->inner = TAKE(*inner);
    atomic_store(&self->healthy, healthy);
    return &self->base;
}
