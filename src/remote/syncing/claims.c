/* SPDX-License-Identifier: Apache-2.0 */
#include "syncing/claims.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

struct claim {
    struct claims *claims;
    struct claim *next;
    char *root;
    char *real; /* NULL until it is made good */
    bool ending;
};

struct claims {
    pthread_mutex_t lock; /* guards the list, `real` and `ending` */
    pthread_cond_t changed;
    struct claim *first;
};

struct claims *claims_new(void)
{
    struct claims *claims = xcalloc(1, sizeof *claims);
    pthread_mutex_init(&claims->lock, NULL);
    pthread_cond_init(&claims->changed, NULL);
    return claims;
}

void claims_free(struct claims *claims)
{
    if (!claims)
        return;
    pthread_cond_destroy(&claims->changed);
    pthread_mutex_destroy(&claims->lock);
    free(claims);
}

struct claim *claim_new(struct claims *claims, const char *root)
{
    struct claim *claim = xcalloc(1, sizeof *claim);
    claim->claims = claims;
    claim->root = xstrdup(root);
    pthread_mutex_lock(&claims->lock);
    claim->next = claims->first;
    claims->first = claim;
    pthread_mutex_unlock(&claims->lock);
    return claim;
}

/* Locked. The one in the way that stays, or else one that ends. */
static const struct claim *rival(const struct claim *claim, const char *real)
{
    const struct claim *ending = NULL;
    for (const struct claim *other = claim->claims->first; other; other = other->next) {
        if (other == claim || !other->real ||
            (strcmp(other->real, real) != 0 && !path_is_within(other->real, real) &&
             !path_is_within(real, other->real)))
            continue;
        if (!other->ending)
            return other;
        ending = other;
    }
    return ending;
}

static bool refuse(const struct claim *claim, const struct claim *other, const char *real,
                   struct error *err)
{
    if (strcmp(other->real, real) == 0)
        return error_set(err, ERROR_CONFLICT, "%s is being synced already", claim->root);
    return error_set(err, ERROR_CONFLICT, "%s and %s, which is being synced, are nested",
                     claim->root, other->root);
}

bool claim_make_good(struct claim *claim, struct error *err)
{
    struct claims *claims = claim->claims;
    AUTO(mem_free) char *real = path_resolve(claim->root);
    const struct claim *other;
    bool good = true;
    pthread_mutex_lock(&claims->lock);
    while (!claim->ending && (other = rival(claim, real)) && good) {
        if (other->ending)
            pthread_cond_wait(&claims->changed, &claims->lock);
        else
            good = refuse(claim, other, real, err);
    }
    if (good && claim->ending)
        good = error_set(err, ERROR_CANCELLED, "the sync ended");
    else if (good)
        claim->real = TAKE(real);
    pthread_mutex_unlock(&claims->lock);
    return good;
}

void claim_end(struct claim *claim)
{
    pthread_mutex_lock(&claim->claims->lock);
    claim->ending = true;
    pthread_cond_broadcast(&claim->claims->changed);
    pthread_mutex_unlock(&claim->claims->lock);
}

void claim_free(struct claim *claim)
{
    if (!claim)
        return;
    struct claims *claims = claim->claims;
    pthread_mutex_lock(&claims->lock);
    struct claim **at = &claims->first;
    while (*at != claim)
        at = &(*at)->next;
    *at = claim->next;
    pthread_cond_broadcast(&claims->changed);
    pthread_mutex_unlock(&claims->lock);
    free(claim->root);
    free(claim->real);
    free(claim);
}
