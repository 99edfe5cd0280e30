/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "store/store_internal.h"

const char *store_class_name(enum store_class class)
{
    static const char *const names[STORE_CLASSES] = {"upload", "intermediate", "video"};
    return names[class];
}

bool store_missing(const struct store_key *key, struct error *err)
{
    return error_set(err, ERROR_NOT_FOUND, "no %s is called %s", store_class_name(key->class),
                     key->name);
}

static bool name_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
}

bool store_key_of(enum store_class class, const char *name, struct store_key *out,
                  struct error *err)
{
    size_t length = name ? strlen(name) : 0;
    bool fine = length > 0 && length < STORE_NAME_SIZE && name_byte(name[0]);
    for (size_t i = 0; fine && i < length; i++)
        fine = name_byte(name[i]) || name[i] == '.' || name[i] == '_' || name[i] == '-';
    if (!fine)
        return error_set(err, ERROR_NOT_FOUND, "that is not the name of an artifact");
    *out = (struct store_key){.class = class};
    memcpy(out->name, name, length + 1);
    return true;
}

struct store_key store_key_hash(enum store_class class, struct hash128 hash, const char *suffix)
{
    char text[HASH128_TEXT_SIZE];
    hash128_text(hash, text);
    struct store_key key = {.class = class};
    snprintf(key.name, sizeof key.name, "%s%s", text, suffix);
    return key;
}

bool store_put(struct store *store, const struct store_key *key, struct bytes content,
               struct error *err)
{
    return store->ops->put(store, key, content, err) ||
           error_wrap(err, "keep %s %s", store_class_name(key->class), key->name);
}

bool store_adopt(struct store *store, const struct store_key *key, const char *path,
                 struct error *err)
{
    return store->ops->adopt(store, key, path, err) ||
           error_wrap(err, "keep %s %s", store_class_name(key->class), key->name);
}

bool store_open(struct store *store, const struct store_key *key, struct store_object *out,
                struct error *err)
{
    return store->ops->open(store, key, out, err);
}

static bool read_all(int fd, size_t size, struct buf *out, struct error *err)
{
    uint8_t *room = buf_reserve(out, size, err);
    if (!room)
        return false;
    size_t done = 0;
    while (done < size) {
        ssize_t got = read(fd, room + done, size - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_os(err, errno, "read");
        if (got == 0)
            return error_set(err, ERROR_INTERNAL, "read: the file ends early");
        done += (size_t)got;
    }
    buf_commit(out, size);
    return true;
}

bool store_get(struct store *store, const struct store_key *key, struct buf *out, struct error *err)
{
    struct store_object object;
    if (!store_open(store, key, &object, err))
        return false;
    AUTO(fd_close) int fd = object.fd;
    return read_all(fd, (size_t)object.size_bytes, out, err) ||
           error_wrap(err, "get %s %s", store_class_name(key->class), key->name);
}

bool store_has(struct store *store, const struct store_key *key)
{
    struct store_object object;
    if (!store_open(store, key, &object, NULL))
        return false;
    close(object.fd);
    return true;
}

char *store_path(struct store *store, const struct store_key *key, struct error *err)
{
    return store->ops->path(store, key, err);
}

bool store_renew(struct store *store, const struct store_key *key)
{
    return store->ops->renew(store, key);
}

bool store_remove(struct store *store, const struct store_key *key, struct error *err)
{
    return store->ops->remove(store, key, err);
}

char *store_scratch(struct store *store, const char *suffix, struct error *err)
{
    return store->ops->scratch(store, suffix, err);
}

bool store_room(struct store *store, int64_t bytes, struct error *err)
{
    return store->ops->room(store, bytes, err);
}

bool store_sweep(struct store *store, int64_t now_ms, int64_t *out_removed, struct error *err)
{
    return store->ops->sweep(store, now_ms, out_removed, err) || error_wrap(err, "sweep");
}

bool store_usage(struct store *store, struct store_usage *out, struct error *err)
{
    return store->ops->usage(store, out, err) || error_wrap(err, "add up what is kept");
}

void store_free(struct store *store)
{
    if (store)
        store->ops->free(store);
}
