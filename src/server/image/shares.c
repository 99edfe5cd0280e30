/* SPDX-License-Identifier: Apache-2.0 */
#include "image/shares.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/mem.h"

enum { KNOWN = 512, HALF_LIFE_MS = 20 * 1000 };

struct account {
    struct image_client client; /* address 0: free */
    double had_s;               /* at at_ms */
    int64_t at_ms, until_ms;
    bool gone;
};

struct shares {
    struct account accounts[KNOWN];
};

struct shares *shares_new(void)
{
    return xcalloc(1, sizeof(struct shares));
}

void shares_free(struct shares *shares)
{
    free(shares);
}

static double had_s(const struct account *account, int64_t now_ms)
{
    double age = (double)(now_ms - account->at_ms) / HALF_LIFE_MS;
    return age > 0 ? account->had_s * exp2(-age) : account->had_s;
}

static struct account *find(struct shares *shares, struct image_client client)
{
    for (int i = 0; i < KNOWN && client.address; i++) {
        struct account *at = &shares->accounts[i];
        if (at->client.address == client.address && at->client.connection == client.connection)
            return at;
    }
    return NULL;
}

/* What a connection begins with that is not known yet. *out_heir: whose account it may take. */
static double initial_s(struct shares *shares, struct image_client client, int64_t now_ms,
                        struct account **out_heir)
{
    double sum_s = 0, most_s = -1;
    int count = 0;
    *out_heir = NULL;
    for (int i = 0; i < KNOWN && client.connection; i++) {
        struct account *at = &shares->accounts[i];
        if (at->client.address != client.address || !at->client.connection)
            continue;
        double had = had_s(at, now_ms);
        sum_s += had;
        count++;
        if (at->gone && had > most_s) {
            most_s = had;
            *out_heir = at;
        }
    }
    if (*out_heir)
        return most_s;
    return count ? sum_s / count : 0;
}

/* A free one, or that of who had least. */
static struct account *room(struct shares *shares, int64_t now_ms)
{
    struct account *least = &shares->accounts[0];
    for (int i = 0; i < KNOWN; i++) {
        struct account *at = &shares->accounts[i];
        if (!at->client.address)
            return at;
        if (had_s(at, now_ms) < had_s(least, now_ms))
            least = at;
    }
    return least;
}

static struct account *find_or_make(struct shares *shares, struct image_client client,
                                    int64_t now_ms)
{
    struct account *account = find(shares, client), *heir;
    if (account)
        return account;
    double had = initial_s(shares, client, now_ms, &heir);
    account = heir ? heir : room(shares, now_ms);
    *account = (struct account){.client = client, .had_s = had, .at_ms = now_ms};
    return account;
}

static void charge(struct account *account, double seconds, int64_t now_ms)
{
    account->had_s = had_s(account, now_ms) + seconds;
    account->at_ms = now_ms;
}

void shares_charge(struct shares *shares, struct image_client client, double seconds,
                   int64_t now_ms)
{
    if (!client.address)
        return;
    charge(find_or_make(shares, client, now_ms), seconds, now_ms);
    const struct image_client address = {client.address, 0};
    if (client.connection)
        charge(find_or_make(shares, address, now_ms), seconds, now_ms);
}

struct share shares_of(struct shares *shares, struct image_client client, int64_t now_ms)
{
    struct account *heir;
    const struct account *address = find(shares, (struct image_client){client.address, 0});
    const struct account *own = client.connection ? find(shares, client) : address;
    return (struct share){
        .address_s = address ? had_s(address, now_ms) : 0,
        .client_s = own ? had_s(own, now_ms) : initial_s(shares, client, now_ms, &heir),
    };
}

void shares_gone(struct shares *shares, struct image_client client)
{
    struct account *account = client.connection ? find(shares, client) : NULL;
    if (account)
        account->gone = true; /* whoever takes it over has come back, perhaps */
}

void shares_told(struct shares *shares, struct image_client client, int64_t until_ms,
                 int64_t now_ms)
{
    struct account *account = find(shares, client);
    if (!account && client.address && until_ms)
        account = find_or_make(shares, client, now_ms);
    if (account)
        account->until_ms = until_ms;
}

int64_t shares_early_ms(struct shares *shares, struct image_client client, int64_t now_ms)
{
    const struct account *account = find(shares, client);
    return account && account->until_ms > now_ms ? account->until_ms - now_ms : 0;
}

int shares_expected(const struct shares *shares, int64_t now_ms)
{
    int count = 0;
    for (int i = 0; i < KNOWN; i++)
        count += shares->accounts[i].until_ms > now_ms;
    return count;
}
