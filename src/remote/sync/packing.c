/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/packing.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "sync/level.h"
#include "sync/packed.h"
#include "sys/memory.h"
#include "sys/thread.h"

enum {
    WAITING_FULL = 768 * 1024,     /* of raw bytes */
    PIECE_MAX = 8 * 1024 * 1024,   /* of what one buffer becomes */
    SPARES = 3,                    /* buffers of raw bytes that are used again … */
    SPARE_LEAST = 256 * 1024,      /* … from this size on … */
    SPARE_MOST = 1024 * 1024,      /* … up to this one */
    LOOK_FIRST = 12 * 1024 * 1024, /* raw bytes until the level is looked at … */
    LOOK_EVERY = 24 * 1024 * 1024, /* … and then … */
    LOOK_SOON = 2 * 1024 * 1024,   /* … but when the link is about to run dry */
    WINDOW_LOG_NEAR = 19,
    WINDOW_LOG_APART = 21, /* for what is there twice */
    LEVEL_APART = 3,
    CAREFUL_LOOKS = 3, /* after that, no higher level for so long */
    SEARCH_LEVEL = 6,  /* from there on zstd itself looks far enough back */
};

struct raw {
    struct raw *next;
    struct buf bytes; /* empty: the end of the stream */
    bool begins;      /* a message */
    bool apart;       /* of the other stream */
};

struct packing {
    struct packing_plan plan;
    pthread_t thread;
    pthread_cond_t work;
    bool open;   /* the caller's: something was added since the last end */
    bool begins; /* and a message begins with the next */
    bool apart;  /* what is added is for the stream apart */

    pthread_mutex_t lock; /* guards what follows */
    struct raw *first, **last;
    struct buf spares[SPARES];
    size_t spare_count;
    size_t waiting; /* raw bytes in the list and in work */
    bool full, stop, was_plain;
    bool busy; /* the thread has something in work */
    struct packing_counts counts;

    /* The thread's own, or the caller's where there is none. */
    struct packer *packers[2]; /* [1]: apart */
    bool in_apart;             /* the last bytes went there */
    int level;
    unsigned looks, careful;
    struct level_sample sample;
    int64_t looked_us;
    bool plain, narrow; /* the message that is open goes as it is; not again in this copy */
    uint64_t plain_sent;
};

/* --- Compressing --------------------------------------------------------------------------- */

static void send(struct packing *packing, bool apart, const struct buf *out)
{
    if (out->size == 0)
        return;
    pthread_mutex_lock(&packing->lock);
    bool stop = packing->stop;
    packing->counts.packed += out->size;
    packing->was_plain = false;
    pthread_mutex_unlock(&packing->lock);
    packing->sample.packed += out->size;
    if (!stop)
        packing->plan.send(packing->plan.context, apart, buf_bytes(out));
}

/* What is in the stream leaves, and with PACK_END the stream is closed. */
static void drain(struct packing *packing, bool apart, enum pack_until until)
{
    struct error err;
    AUTO(buf_dispose) struct buf out = BUF(PIECE_MAX);
    if (!packing->packers[apart])
        return;
    if (!packer_add(packing->packers[apart], (struct bytes){0}, until, &out, &err))
        abort(); /* memory is gone */
    if (until == PACK_END)
        packer_free(TAKE(packing->packers[apart]));
    send(packing, apart, &out);
}

static void close_streams(struct packing *packing)
{
    drain(packing, !packing->in_apart, PACK_END); /* everything in it has left already */
    drain(packing, packing->in_apart, PACK_END);
}

/* What is in one stream comes before what is in the other: the order stays as it was. */
static void turn_to(struct packing *packing, bool apart)
{
    if (apart != packing->in_apart)
        drain(packing, packing->in_apart, PACK_FLUSH);
    packing->in_apart = apart;
}

static void sample_begins(struct packing *packing, int64_t now_us)
{
    packing->looked_us = now_us;
    packing->sample =
        (struct level_sample){.queued_before = packing->plan.queued(packing->plan.context)};
}

/* The level changes with a new stream, which costs what the old one remembered: seldom, then. */
static void look(struct packing *packing)
{
    struct level_sample *sample = &packing->sample;
    if (sample->raw < LOOK_SOON)
        return;
    sample->queued = packing->plan.queued(packing->plan.context);
    bool dry = sample->queued <= LEVEL_QUEUED_LITTLE && packing->level > LEVEL_FIRST;
    if (!dry && sample->raw < (packing->looks ? LOOK_EVERY : LOOK_FIRST))
        return;
    int64_t now_us = mono_ns() / 1000;
    sample->took_us = now_us - packing->looked_us;
    sample->distance_us = packing->plan.distance_us(packing->plan.context);
    int level = level_next(packing->level, sample);
    int change = level > packing->level ? level - packing->level : packing->level - level;
    packing->looks++;
    if (dry)
        packing->careful = CAREFUL_LOOKS;
    else if (packing->careful && packing->careful-- && level > packing->level)
        change = 0;
    if (change > (packing->looks <= 1 || dry ? 0 : 1)) {
        drain(packing, false, PACK_END);
        packing->level = level;
        pthread_mutex_lock(&packing->lock);
        packing->counts.level = level;
        pthread_mutex_unlock(&packing->lock);
    }
    sample_begins(packing, now_us);
}

/* Near, looking far back costs more time than the bytes it saves. */
static struct packer *packer_for(struct packing *packing, bool apart)
{
    bool near = level_is_near(packing->plan.distance_us(packing->plan.context));
    if (apart && !near)
        return packer_new(&(struct packer_options){
            .level = LEVEL_APART, .window_log = WINDOW_LOG_APART, .far_back = true});
    return packer_new(
        &(struct packer_options){.level = near ? LEVEL_NEAR : packing->level,
                                 .window_log = near ? WINDOW_LOG_NEAR : PACKED_WINDOW_LOG,
                                 .far_back = !near && packing->level < SEARCH_LEVEL});
}

/* Whether it goes as it is; a message does so as a whole. */
static bool is_plain(struct packing *packing, const struct raw *raw)
{
    const struct packing_plan *plan = &packing->plan;
    if (!raw->begins || !plan->send_plain)
        return packing->plain;
    size_t queued = plan->queued(plan->context);
    uint64_t left = packing->plain_sent > queued ? packing->plain_sent - queued : 0;
    packing->narrow = packing->narrow || level_is_narrow(plan->rate(plan->context), left);
    packing->plain = !packing->narrow && level_is_near(plan->distance_us(plan->context));
    return packing->plain;
}

static void send_plain(struct packing *packing, struct raw *raw)
{
    packing->plain_sent += raw->bytes.size;
    pthread_mutex_lock(&packing->lock);
    bool stop = packing->stop;
    packing->counts.packed += raw->bytes.size;
    packing->was_plain = true;
    pthread_mutex_unlock(&packing->lock);
    if (!stop)
        packing->plan.send_plain(packing->plan.context, &raw->bytes);
}

static bool is_far(struct packing *packing)
{
    int64_t distance_us = packing->plan.distance_us(packing->plan.context);
    return distance_us > 0 && !level_is_near(distance_us);
}

static void drop_spares(struct packing *packing)
{
    pthread_mutex_lock(&packing->lock);
    while (packing->spare_count)
        buf_dispose(&packing->spares[--packing->spare_count]);
    pthread_mutex_unlock(&packing->lock);
}

/* Buffers of one size that come and go among smaller ones that stay, those in front of the link,
 * would leave holes in the heap that only the smaller fit into. */
static void keep_spare(struct packing *packing, struct buf *bytes)
{
    if (bytes->capacity < SPARE_LEAST || bytes->capacity > SPARE_MOST)
        return;
    pthread_mutex_lock(&packing->lock);
    if (packing->spare_count < SPARES) {
        buf_clear(bytes);
        packing->spares[packing->spare_count++] = *bytes;
        *bytes = BUF(0);
    }
    pthread_mutex_unlock(&packing->lock);
}

static void pack(struct packing *packing, struct raw *raw)
{
    struct error err;
    if (raw->bytes.size == 0) {
        close_streams(packing);
        packing->looks = 0;
        packing->plain_sent = 0;
        packing->narrow = packing->plain = false;
        drop_spares(packing);
        memory_trim();
        return;
    }
    if (is_plain(packing, raw)) {
        close_streams(packing); /* what is still in them must not come behind this */
        send_plain(packing, raw);
        return;
    }
    AUTO(buf_dispose) struct buf out = BUF(PIECE_MAX + 2 * raw->bytes.size);
    int64_t begin_us = mono_ns() / 1000;
    if (packing->looks == 0 && packing->sample.raw == 0) {
        if (packing->level < LEVEL_FAR && !packing->careful && is_far(packing))
            packing->level = LEVEL_FAR;
        sample_begins(packing, begin_us);
    }
    turn_to(packing, raw->apart);
    struct packer **packer = &packing->packers[raw->apart];
    if (!*packer)
        *packer = packer_for(packing, raw->apart);
    if (!packer_add(*packer, buf_bytes(&raw->bytes), PACK_MORE, &out, &err))
        abort();
    packing->sample.raw += raw->bytes.size;
    packing->sample.packing_us += mono_ns() / 1000 - begin_us;
    send(packing, raw->apart, &out);
    look(packing);
}

static void raw_free(struct raw *raw)
{
    buf_dispose(&raw->bytes);
    free(raw);
}

static void *run(void *context)
{
    struct packing *packing = context;
    thread_step_back(); /* what is packed already is to be sent meanwhile */
    pthread_mutex_lock(&packing->lock);
    while (!packing->stop) {
        struct raw *raw = packing->first;
        if (!raw) {
            pthread_cond_wait(&packing->work, &packing->lock);
            continue;
        }
        packing->first = raw->next;
        if (!packing->first)
            packing->last = &packing->first;
        size_t size = raw->bytes.size;
        packing->busy = true;
        pthread_mutex_unlock(&packing->lock);
        pack(packing, raw);
        pthread_mutex_lock(&packing->lock);
        packing->waiting -= size;
        packing->busy = false;
        bool room = packing->full && packing->waiting < WAITING_FULL;
        packing->full = packing->full && !room;
        pthread_mutex_unlock(&packing->lock);
        keep_spare(packing, &raw->bytes);
        raw_free(raw);
        if (room)
            packing->plan.room(packing->plan.context);
        pthread_mutex_lock(&packing->lock);
    }
    pthread_mutex_unlock(&packing->lock);
    return NULL;
}

/* --- The caller's side --------------------------------------------------------------------- */

struct packing *packing_new(const struct packing_plan *plan)
{
    struct packing *packing = xcalloc(1, sizeof *packing);
    packing->plan = *plan;
    packing->last = &packing->first;
    packing->level = packing->counts.level = LEVEL_FIRST;
    pthread_mutex_init(&packing->lock, NULL);
    pthread_cond_init(&packing->work, NULL);
    if (plan->threaded && pthread_create(&packing->thread, NULL, run, packing) != 0)
        packing->plan.threaded = false;
    return packing;
}

void packing_free(struct packing *packing)
{
    if (!packing)
        return;
    if (packing->plan.threaded) {
        pthread_mutex_lock(&packing->lock);
        packing->stop = true;
        pthread_cond_signal(&packing->work);
        pthread_mutex_unlock(&packing->lock);
        pthread_join(packing->thread, NULL);
    }
    for (struct raw *raw = packing->first, *next; raw; raw = next) {
        next = raw->next;
        raw_free(raw);
    }
    drop_spares(packing);
    packer_free(packing->packers[false]);
    packer_free(packing->packers[true]);
    pthread_cond_destroy(&packing->work);
    pthread_mutex_destroy(&packing->lock);
    free(packing);
}

static void put(struct packing *packing, struct raw *raw)
{
    if (!packing->plan.threaded) {
        pack(packing, raw);
        raw_free(raw);
        return;
    }
    pthread_mutex_lock(&packing->lock);
    bool at_once = packing->was_plain && !packing->first && !packing->busy && raw->bytes.size;
    if (at_once) { /* the thread rests until something is put into its list */
        pthread_mutex_unlock(&packing->lock);
        pack(packing, raw);
        raw_free(raw);
        return;
    }
    *packing->last = raw;
    packing->last = &raw->next;
    packing->waiting += raw->bytes.size;
    pthread_cond_signal(&packing->work);
    pthread_mutex_unlock(&packing->lock);
}

void packing_begin(struct packing *packing, bool apart)
{
    packing->begins = true;
    packing->apart = apart;
}

void packing_add(struct packing *packing, struct buf *raw)
{
    struct raw *item = xcalloc(1, sizeof *item);
    if (raw->size == 0)
        return free(item);
    item->bytes = *raw;
    item->begins = packing->begins;
    item->apart = packing->apart;
    packing->begins = false;
    *raw = BUF(raw->limit);
    pthread_mutex_lock(&packing->lock);
    packing->counts.raw += item->bytes.size;
    pthread_mutex_unlock(&packing->lock);
    packing->open = true;
    put(packing, item);
}

void packing_reuse(struct packing *packing, struct buf *raw)
{
    pthread_mutex_lock(&packing->lock);
    if (raw->capacity == 0 && packing->spare_count) {
        size_t limit = raw->limit;
        *raw = packing->spares[--packing->spare_count];
        raw->limit = limit;
    }
    pthread_mutex_unlock(&packing->lock);
}

void packing_end(struct packing *packing)
{
    if (!packing->open)
        return;
    packing->open = false;
    put(packing, xcalloc(1, sizeof(struct raw)));
}

bool packing_full(struct packing *packing)
{
    pthread_mutex_lock(&packing->lock);
    bool full = packing->plan.threaded && packing->waiting >= WAITING_FULL;
    packing->full = packing->full || full;
    pthread_mutex_unlock(&packing->lock);
    return full;
}

bool packing_is_plain(struct packing *packing)
{
    pthread_mutex_lock(&packing->lock);
    bool plain = packing->was_plain;
    pthread_mutex_unlock(&packing->lock);
    return plain;
}

struct packing_counts packing_counts(struct packing *packing)
{
    pthread_mutex_lock(&packing->lock);
    struct packing_counts counts = packing->counts;
    pthread_mutex_unlock(&packing->lock);
    return counts;
}
