/* SPDX-License-Identifier: Apache-2.0 */
/* What a back end of the store implements. */
#pragma once

#include "store/store.h"

struct store_ops {
    bool (*put)(struct store *store, const struct store_key *key, struct bytes content,
                struct error *err);
    bool (*adopt)(struct store *store, const struct store_key *key, const char *path,
                  struct error *err);
    bool (*open)(struct store *store, const struct store_key *key, struct store_object *out,
                 struct error *err);
    char *(*path)(struct store *store, const struct store_key *key, struct error *err);
    bool (*renew)(struct store *store, const struct store_key *key);
    bool (*remove)(struct store *store, const struct store_key *key, struct error *err);
    char *(*scratch)(struct store *store, const char *suffix, struct error *err);
    bool (*room)(struct store *store, int64_t bytes, struct error *err);
    bool (*sweep)(struct store *store, int64_t now_ms, int64_t *out_removed, struct error *err);
    bool (*usage)(struct store *store, struct store_usage *out, struct error *err);
    void (*free)(struct store *store);
};

struct store {
    const struct store_ops *ops; /* first in every back end's own struct */
};

bool store_missing(const struct store_key *key, struct error *err);
