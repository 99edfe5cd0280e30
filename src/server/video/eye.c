/* SPDX-License-Identifier: Apache-2.0 */
#include "video/eye.h"

#include <math.h>

#include "video/brow.h"
#include "video/curve.h"

enum { LID_POINTS = 9, BROW_POINTS = 5 };

static const struct {
    int upper[LID_POINTS], lower[LID_POINTS], brow_under[BROW_POINTS], brow[BROW_POINTS];
    int iris; /* centre, then four on its edge */
} sides[2] = {
    {{33, 246, 161, 160, 159, 158, 157, 173, 133},
     {33, 7, 163, 144, 145, 153, 154, 155, 133},
     {46, 53, 52, 65, 55},
     {70, 63, 105, 66, 107},
     468},
    {{362, 398, 384, 385, 386, 387, 388, 466, 263},
     {362, 382, 381, 380, 374, 373, 390, 249, 263},
     {285, 295, 282, 283, 276},
     {336, 296, 334, 293, 300},
     473},
};

/* How far beyond the corners skin changes in a blink, mm. */
static const float beyond_corner = 4.6f;

static float mean_y(const struct axes *axes, const struct face *face, const int *indices, int count)
{
    float sum = 0;
    for (int i = 0; i < count; i++) {
        float x, y;
        axes_place(axes, face->points[indices[i]], &x, &y);
        sum += y / (float)count;
    }
    return sum;
}

/* No more than the neighbours have, and a little for each step to them: skin does not tear. */
static float room_near(const struct eye *eye, const float room[EYE_COLUMNS + 1], int column)
{
    static const float slope = 0.45f;
    float least = INFINITY;
    for (int i = 0; i <= EYE_COLUMNS; i++)
        least = fminf(least, room[i] + slope * eye->step * fabsf((float)(i - column)));
    return least;
}

/* Only skin comes down in a blink, be it little: where the brow's hair begins it stays. */
static void spare_brow(struct eye *eye, const struct curve *under, const struct curve *over,
                       const struct frame420 *photo)
{
    enum { NEAR = 5 };
    float mm = eye->px_per_mm, room[EYE_COLUMNS + 1];
    for (int i = 0; i <= EYE_COLUMNS; i++) {
        const struct eye_column *column = &eye->columns[i];
        float x = eye->left + eye->step * (float)i, whole = column->upper - column->top;
        float brow = (curve_at(under, x) + curve_at(over, x)) / 2;
        struct brow_search search = {x, column->upper, brow};
        float skin = brow_skin(photo, &eye->axes, mm, &search, whole + 0.5f * mm) - 0.5f * mm;
        room[i] = fminf(fmaxf(skin, 1.2f * mm), whole);
    }
    for (int i = 0; i <= EYE_COLUMNS; i++) {
        float sum = 0;
        for (int j = -NEAR; j <= NEAR; j++)
            sum += room_near(eye, room, (int)clampf((float)(i + j), 0, EYE_COLUMNS));
        eye->columns[i].top = eye->columns[i].upper - sum / (2 * NEAR + 1);
        eye->top = fminf(eye->top, eye->columns[i].top);
    }
}

void eye_init(struct eye *eye, const struct face *face, int side, const struct frame420 *photo,
              float px_per_mm)
{
    const int *upper = sides[side].upper, *lower = sides[side].lower;
    struct point3 right = face->points[upper[0]], left = face->points[upper[LID_POINTS - 1]];
    float length = fmaxf(hypotf(left.x - right.x, left.y - right.y), 1e-3f);
    *eye = (struct eye){.px_per_mm = px_per_mm};
    eye->axes = (struct axes){(right.x + left.x) / 2 - 0.5f, (right.y + left.y) / 2 - 0.5f,
                              (left.x - right.x) / length, (left.y - right.y) / length};
    eye->left = -length / 2;
    eye->right = length / 2;
    eye->step = length / EYE_COLUMNS;
    eye->outer = side ? 1 : -1;
    eye->from = eye->left - beyond_corner * px_per_mm;
    eye->to = eye->right + beyond_corner * px_per_mm;
    struct curve above = axes_curve(&eye->axes, face, upper, LID_POINTS);
    struct curve below = axes_curve(&eye->axes, face, lower, LID_POINTS);
    struct curve brow = axes_curve(&eye->axes, face, sides[side].brow_under, BROW_POINTS);
    struct curve brow_top = axes_curve(&eye->axes, face, sides[side].brow, BROW_POINTS);
    eye->brow_y = mean_y(&eye->axes, face, sides[side].brow, BROW_POINTS) * 0.6f +
                  mean_y(&eye->axes, face, sides[side].brow_under, BROW_POINTS) * 0.4f;
    eye->brow_reach = length * 0.95f;
    float tallest = 0;
    for (int i = 0; i <= EYE_COLUMNS; i++) {
        float x = eye->left + eye->step * (float)i;
        struct eye_column *column = &eye->columns[i];
        column->upper = curve_at(&above, x);
        column->lower = fmaxf(curve_at(&below, x), column->upper);
        float height = column->lower - column->upper;
        float room = fmaxf(column->upper - curve_at(&brow, x), 2 * px_per_mm);
        column->top = column->upper - fminf(room * 0.75f, 11 * px_per_mm);
        column->bottom = column->lower + 5 * px_per_mm;
        float at = 2 * x / length;
        column->inside = 1 - at * at;
        tallest = fmaxf(tallest, height);
        eye->bottom = fmaxf(eye->bottom, column->bottom);
    }
    spare_brow(eye, &brow, &brow_top, photo);
    lid_init(&eye->lid, eye, photo);
    eye->can_blink = tallest > 2.5f * px_per_mm;
    struct point3 iris = face->points[sides[side].iris], edge = face->points[sides[side].iris + 1];
    axes_place(&eye->axes, iris, &eye->iris_x, &eye->iris_y);
    eye->iris_radius =
        clampf(hypotf(iris.x - edge.x, iris.y - edge.y), 3 * px_per_mm, 8 * px_per_mm);
}

static float look(const struct eye_now *now, float x, float y, float *out_y)
{
    const struct eye *eye = now->eye;
    float dx = fabsf(x - eye->iris_x) / eye->iris_radius;
    float left = x - eye->left, right = eye->right - x;
    float room = clampf(fminf(left, right) / (3.5f * eye->px_per_mm), 0, 1);
    float share = room * (1 - 0.5f * smoothstep(1.2f, 3, dx));
    *out_y = y - now->gaze_y * share;
    return x - now->gaze_x * share;
}

/* How much of the lid's fall a place on it takes part in: all of it near the lashes, less and less
 * towards the brow, as a fold of skin that opens. */
static float unfold(float top, float lashes, float y)
{
    float at = clampf((y - top) / fmaxf(lashes - top, 1e-3f), 0, 1);
    return at * (1.25f - 0.25f * at * at * at * at * at);
}

/* Where the upper lid is. */
struct upper_lid {
    float top, edge; /* where it folds, where its lashes are */
    float inside;
};

/* Skin comes over the eye, and over the lashes of the open one: their line is drawn anew where it
 * is now. */
static void shut_lid(const struct eye_now *now, const struct upper_lid *upper, float y,
                     struct eye_sample *out)
{
    const struct lid *lid = &now->eye->lid;
    float mm = now->eye->px_per_mm, share, above = y - upper->edge;
    float begun = smoothstep(0, 0.35f, now->blink), shut = smoothstep(0.55f, 0.95f, now->blink);
    if (lid_at(lid, out->x, y, &share, out->lid))
        out->lid_share = share * (out->upper_cover * begun + out->lower_cover * shut);
    float line = begun * clampf(upper->inside * 2.5f, 0, 1);
    float lash = above / (above < 0 ? lid->lash_thick : 0.6f * mm);
    out->light -= (1 - lid->lash_light) * line * expf(-lash * lash);
    if (above > 0) { /* lashes that hang down, and the lid's shadow on the eye */
        out->light -= 0.16f * line * expf(-above / (1.1f * mm));
        out->light -= 0.25f * line * (1 - smoothstep(0, 3 * mm, above)) * (1 - out->lower_cover);
        return;
    }
    /* The lid is round, and folds where it begins. */
    float down = clampf((y - upper->top) / fmaxf(upper->edge - upper->top, 1e-3f), 0, 1);
    float crease = (down - 0.3f) / 0.11f, round = (down - 0.68f) / 0.2f;
    float whole = now->blink * clampf(upper->inside * 2.5f, 0, 1);
    out->light += whole * (0.05f * expf(-round * round) - 0.08f * expf(-crease * crease));
}

bool eye_now_sample(const struct eye_now *now, float x, float y, struct eye_sample *out)
{
    const struct eye *eye = now->eye;
    float blink = eye->can_blink ? now->blink : 0;
    if (x <= (blink > 0 ? eye->from : eye->left) || x >= (blink > 0 ? eye->to : eye->right))
        return false;
    float at = clampf((x - eye->left) / eye->step, 0, EYE_COLUMNS);
    int index = (int)fminf(at, EYE_COLUMNS - 1);
    float share = at - (float)index;
    const struct eye_column *from = &eye->columns[index], *to = from + 1;
    float top = lerpf(from->top, to->top, share), bottom = lerpf(from->bottom, to->bottom, share);
    if (y <= (blink > 0 ? fminf(top, eye->lid.y) : top) || y >= bottom)
        return false;
    float upper = lerpf(from->upper, to->upper, share);
    float lower = lerpf(from->lower, to->lower, share);
    float inside = lerpf(from->inside, to->inside, share);
    float mm = eye->px_per_mm, open = lower - upper;
    /* Shut lids meet low, and a little deeper than the landmarks see the eye's edge; towards the
     * outer corner higher, or the line of the lashes would step up to it. */
    float outwards = x * eye->outer > 0 ? 1 - inside : 0;
    float meet = 0.94f - 0.55f * outwards * outwards;
    float fall = blink * (open * meet + 0.8f * mm * clampf(inside * 3, 0, 1) * meet);
    float rise = blink * open * (1 - meet);
    float upper_now = upper + fall, lower_now = lower - rise;

    *out = (struct eye_sample){.x = x, .light = 1};
    out->upper_cover = clampf(upper_now - y + 0.5f, 0, 1);
    out->lower_cover = clampf(y - lower_now + 0.5f, 0, 1) * (1 - out->upper_cover);
    float gone = 1 - 0.85f * smoothstep(0, 0.35f, blink); /* under the lid that is drawn over it */
    out->upper_y =
        y - gone * fall * unfold(top, upper_now - fminf(2.2f * mm, (upper - top) * 0.4f), y);
    out->lower_y = y + rise * (1 - smoothstep(lower_now, bottom, y));
    out->under_x = look(now, x, y, &out->under_y);

    if (blink > 0)
        shut_lid(now, &(struct upper_lid){top, upper_now, inside}, y, out);
    return y > top || out->lid_share > 0;
}

float eye_brow_share(const struct eye *eye, float x, float y)
{
    float across = fabsf(x) / eye->brow_reach;
    if (across >= 1.6f)
        return 0;
    float sideways = 1 - smoothstep(0.7f, 1.6f, across);
    float lowest = eye->top, middle = eye->brow_y;
    if (y >= lowest)
        return 0;
    float highest = middle - 22 * eye->px_per_mm;
    float upright = y > middle ? 1 - smoothstep(middle, lowest, y) : smoothstep(highest, middle, y);
    return sideways * upright;
}
