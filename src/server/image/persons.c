/* SPDX-License-Identifier: Apache-2.0 */
#include "image/persons.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "image/matte.h"
#include "media/picture.h"
#include "media/resample.h"

enum {
    GRID = 192, /* cells along the longer side */
    NOBODY = -1,
    IS_BODY = 90, /* of 255 in the matte */
    MAX_HEAP = 8 * GRID * GRID + 64 * GRID,
};

/* Costs of a step, in cells, before it is divided by the width of the face that goes. */
static const float colour_cost = 250, background_cost = 4;

struct way {
    float cost;
    int cell, owner;
};

struct search {
    struct persons *persons;
    struct picture colour;
    float *costs;
    float *speeds; /* of each face */
    struct way *heap;
    int heap_size;
};

static void heap_push(struct search *search, struct way way)
{
    int at = search->heap_size++;
    while (at > 0 && search->heap[(at - 1) / 2].cost > way.cost) {
        search->heap[at] = search->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    search->heap[at] = way;
}

static struct way heap_pop(struct search *search)
{
    struct way first = search->heap[0], last = search->heap[--search->heap_size];
    int at = 0;
    for (;;) {
        int child = 2 * at + 1;
        if (child >= search->heap_size)
            break;
        if (child + 1 < search->heap_size &&
            search->heap[child + 1].cost < search->heap[child].cost)
            child++;
        if (search->heap[child].cost >= last.cost)
            break;
        search->heap[at] = search->heap[child];
        at = child;
    }
    search->heap[at] = last;
    return first;
}

static void offer(struct search *search, int cell, int owner, float cost)
{
    if (cost >= search->costs[cell] || search->heap_size == MAX_HEAP)
        return;
    search->costs[cell] = cost;
    search->persons->owners[cell] = owner;
    heap_push(search, (struct way){cost, cell, owner});
}

static const uint8_t *colour_at(const struct search *search, int cell)
{
    int width = search->persons->width;
    return picture_row(&search->colour, cell / width) + 3 * (size_t)(cell % width);
}

static float step_cost(const struct search *search, int from, int to, bool diagonal)
{
    const uint8_t *a = colour_at(search, from), *b = colour_at(search, to);
    float r = (float)(a[0] - b[0]), g = (float)(a[1] - b[1]), blue = (float)(a[2] - b[2]);
    /* Squared: texture costs next to nothing, the edge of a garment a lot. */
    float cost = 1 + colour_cost * (r * r + g * g + blue * blue) / (3 * 255 * 255);
    if (search->persons->body[to] < IS_BODY)
        cost *= background_cost;
    return diagonal ? cost * 1.41421356f : cost;
}

static void spread(struct search *search)
{
    const struct persons *persons = search->persons;
    while (search->heap_size > 0) {
        struct way way = heap_pop(search);
        if (way.cost > search->costs[way.cell])
            continue; /* a shorter one was found meanwhile */
        int x = way.cell % persons->width, y = way.cell / persons->width;
        for (int dy = -1; dy <= 1; dy++)
            for (int dx = -1; dx <= 1; dx++) {
                if ((!dx && !dy) || x + dx < 0 || x + dx >= persons->width || y + dy < 0 ||
                    y + dy >= persons->height)
                    continue;
                int next = way.cell + dy * persons->width + dx;
                float cost = step_cost(search, way.cell, next, dx && dy);
                offer(search, next, way.owner, way.cost + cost * search->speeds[way.owner]);
            }
    }
}

/* In cells. */
static struct box to_cells(const struct persons *persons, const struct box *box)
{
    float x = (float)persons->width / (float)persons->photo_width;
    float y = (float)persons->height / (float)persons->photo_height;
    return (struct box){box->x * x, box->y * y, fmaxf(box->width * x, 1),
                        fmaxf(box->height * y, 1)};
}

/* How far from a head's middle, 1 at its edge. */
static float from_head(struct box face, int x, int y)
{
    float dx = ((float)x + 0.5f - face.x - face.width / 2) / (face.width * 0.6f);
    float dy = ((float)y + 0.5f - face.y - face.height * 0.4f) / (face.height * 0.8f);
    return hypotf(dx, dy);
}

/* Where the ways begin: heads, each to the nearest of them; then trunks, straight down from the
 * chin until somebody else's head is in front. */
static void begin(struct search *search, const struct box *faces)
{
    struct persons *persons = search->persons;
    for (int cell = 0; cell < persons->width * persons->height; cell++) {
        float nearest = 1;
        for (int i = 0; i < persons->count; i++) {
            float far = from_head(to_cells(persons, &faces[i]), cell % persons->width,
                                  cell / persons->width);
            if (far >= nearest)
                continue;
            nearest = far;
            persons->owners[cell] = i;
        }
    }
    for (int i = 0; i < persons->count; i++) {
        struct box face = to_cells(persons, &faces[i]);
        int x = (int)(face.x + face.width / 2), y = (int)(face.y + face.height);
        int end = (int)(face.y + 3.2f * face.height);
        for (; y < end && y < persons->height && y >= 0 && x >= 0 && x < persons->width; y++) {
            int *owner = &persons->owners[y * persons->width + x];
            if (*owner != NOBODY && *owner != i)
                break;
            *owner = i;
        }
    }
    for (int cell = 0; cell < persons->width * persons->height; cell++)
        if (persons->owners[cell] != NOBODY)
            offer(search, cell, persons->owners[cell], 0);
}

static void grid_make(const struct picture *photo, const struct picture *matte,
                      struct persons *persons, struct picture *colour)
{
    int longer = photo->width > photo->height ? photo->width : photo->height;
    float scale = longer > GRID ? (float)GRID / (float)longer : 1;
    persons->width = (int)ceilf((float)photo->width * scale);
    persons->height = (int)ceilf((float)photo->height * scale);
    persons->photo_width = photo->width;
    persons->photo_height = photo->height;
    size_t cells = (size_t)persons->width * (size_t)persons->height;
    persons->owners = xcalloc(cells, sizeof *persons->owners);
    persons->body = xmalloc(cells);
    struct box whole = {0, 0, (float)photo->width, (float)photo->height};
    struct box all = {0, 0, (float)matte->width, (float)matte->height};
    AUTO(picture_dispose)
    struct picture body = picture_new(persons->width, persons->height, PICTURE_GREY);
    *colour = picture_new(persons->width, persons->height, PICTURE_RGB);
    picture_resample(photo, whole, RESAMPLE_TRIANGLE, colour);
    picture_resample(matte, all, RESAMPLE_TRIANGLE, &body);
    for (int y = 0; y < persons->height; y++)
        memcpy(persons->body + (size_t)y * (size_t)persons->width, picture_row(&body, y),
               (size_t)persons->width);
}

struct persons persons_tell_apart(const struct picture *photo, const struct picture *matte,
                                  const struct box *faces, int count)
{
    struct persons persons = {.count = count};
    struct search search = {.persons = &persons};
    grid_make(photo, matte, &persons, &search.colour);
    int cells = persons.width * persons.height;
    search.costs = xcalloc((size_t)cells, sizeof *search.costs);
    search.speeds = xcalloc((size_t)count + 1, sizeof *search.speeds);
    search.heap = xcalloc(MAX_HEAP, sizeof *search.heap);
    for (int i = 0; i < cells; i++) {
        persons.owners[i] = NOBODY;
        search.costs[i] = FLT_MAX;
    }
    for (int i = 0; i < count; i++)
        search.speeds[i] = 1 / to_cells(&persons, &faces[i]).width;
    begin(&search, faces);
    spread(&search);
    picture_dispose(&search.colour);
    free(search.costs);
    free(search.speeds);
    free(search.heap);
    return persons;
}

void persons_dispose(struct persons *persons)
{
    free(persons->owners);
    free(persons->body);
    *persons = (struct persons){0};
}

/* How far this person's body reaches within `reach`, in cells; false when there is none. */
static bool body_extent(const struct persons *persons, int index, struct box reach, struct box *out)
{
    int left = persons->width, right = -1, top = persons->height, bottom = -1;
    int x0 = (int)fmaxf(reach.x, 0), y0 = (int)fmaxf(reach.y, 0);
    int x1 = (int)fminf(ceilf(reach.x + reach.width), (float)persons->width);
    int y1 = (int)fminf(ceilf(reach.y + reach.height), (float)persons->height);
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++) {
            int cell = y * persons->width + x;
            if (persons->owners[cell] != index || persons->body[cell] < IS_BODY)
                continue;
            left = x < left ? x : left, right = x > right ? x : right;
            top = y < top ? y : top, bottom = y > bottom ? y : bottom;
        }
    *out =
        (struct box){(float)left, (float)top, (float)(right - left + 1), (float)(bottom - top + 1)};
    return right >= left;
}

static struct box clip(struct box box, float width, float height)
{
    float left = fminf(fmaxf(box.x, 0), width), top = fminf(fmaxf(box.y, 0), height);
    float right = fminf(box.x + box.width, width), bottom = fminf(box.y + box.height, height);
    return (struct box){left, top, fmaxf(right - left, 0), fmaxf(bottom - top, 0)};
}

struct box person_box(const struct persons *persons, const struct box *face, int index)
{
    float width = (float)persons->photo_width, height = (float)persons->photo_height;
    float middle = face->x + face->width / 2;
    struct box usual = {middle - 1.8f * face->width, face->y - face->height, 3.6f * face->width,
                        6 * face->height};
    struct box found;
    if (!body_extent(persons, index, to_cells(persons, &usual), &found))
        return clip(usual, width, height);
    float x = width / (float)persons->width, y = height / (float)persons->height;
    struct box box = {found.x * x, found.y * y, found.width * x, found.height * y};
    /* The face itself is always part of it. */
    float left = fminf(box.x, face->x), top = fminf(box.y, face->y - 0.3f * face->height);
    float right = fmaxf(box.x + box.width, face->x + face->width);
    float bottom = fmaxf(box.y + box.height, face->y + face->height);
    return clip((struct box){left, top, right - left, bottom - top}, width, height);
}

void persons_keep(const struct persons *persons, const struct picture *photo, const bool *keep,
                  struct picture *matte)
{
    bool all = true;
    for (int i = 0; i < persons->count; i++)
        all &= keep[i];
    if (all)
        return;
    AUTO(picture_dispose)
    struct picture coarse = picture_new(persons->width, persons->height, PICTURE_GREY);
    AUTO(picture_dispose) struct picture kept =
        picture_new(matte->width, matte->height, PICTURE_GREY);
    for (int y = 0; y < persons->height; y++)
        for (int x = 0; x < persons->width; x++) {
            int owner = persons->owners[y * persons->width + x];
            picture_row(&coarse, y)[x] = owner != NOBODY && keep[owner] ? 255 : 0;
        }
    matte_refine(photo, &coarse, &kept);
    for (int y = 0; y < matte->height; y++) {
        uint8_t *row = picture_row(matte, y);
        const uint8_t *share = picture_row(&kept, y);
        for (int x = 0; x < matte->width; x++)
            row[x] = (uint8_t)((row[x] * share[x] + 127) / 255);
    }
}
