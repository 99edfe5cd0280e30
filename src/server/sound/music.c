/* SPDX-License-Identifier: Apache-2.0 */
#include "sound/music.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/auto.h"
#include "base/mem.h"
#include "sound/instrument.h"
#include "sound/loudness.h"
#include "sound/resample.h"

/* Notes are made at half the rate: nothing in them is above 12 kHz, and it costs half. */
enum { PLAY_RATE_HZ = 24000, MELODY_MAX = 40, BARS = 8, CHORD = 4, NOTES_MAX = 160 };

static const double target_lufs = -20;

struct melody_note {
    double beat, beats;
    int pitch;
};

/* One instrument that plays the chords by a pattern, a character for each eighth (or, in three-four
 * time, each eighth of six): '.' rest, '1'..'4' that note of the chord, 'c' all of it, 'r' the
 * root an octave lower, 'x' a stroke. */
struct layer {
    enum instrument instrument;
    const char *pattern;  /* one bar long */
    double level, length; /* length in eighths */
    int octave;           /* half-tones added */
};

struct piece {
    struct music_info info;
    double bpm;
    int beats; /* in a bar */
    int chords[BARS][CHORD];
    struct layer layers[6]; /* ends with one without a pattern */
    enum instrument lead;
    double lead_level;
    struct melody_note melody[MELODY_MAX]; /* ends with a pitch of 0 */
};

#define MAJOR(root)                                                                                \
    {                                                                                              \
        (root), (root) + 4, (root) + 7, (root) + 12                                                \
    }
#define MINOR(root)                                                                                \
    {                                                                                              \
        (root), (root) + 3, (root) + 7, (root) + 12                                                \
    }
#define MAJ7(root)                                                                                 \
    {                                                                                              \
        (root), (root) + 4, (root) + 7, (root) + 11                                                \
    }
#define MIN7(root)                                                                                 \
    {                                                                                              \
        (root), (root) + 3, (root) + 7, (root) + 10                                                \
    }

static const struct piece pieces[] = {
    {
        .info = {"sunny", "ひだまり", "Sunny", "軽やかで明るい曲", "Light and cheerful", "cheerful",
                 8 * 4 * 60. / 112},
        .bpm = 112,
        .beats = 4,
        .chords = {MAJOR(60), MAJOR(55), MINOR(57), MAJOR(53), MAJOR(60), MINOR(52), MAJOR(53),
                   MAJOR(55)},
        .layers = {{INSTRUMENT_PLUCK, "14323143", .34, 1.6, 0},
                   {INSTRUMENT_BASS, "r...r.3.", .42, 2.5, -12},
                   {INSTRUMENT_SHAKER, "x.xxx.xx", .05, 1, 0},
                   {INSTRUMENT_KICK, "x...x...", .35, 1, 0}},
        .lead = INSTRUMENT_BELL,
        .lead_level = .16,
        .melody = {{0, 1, 76},     {1.5, .5, 79}, {2, 1.5, 79},   {4, 1, 74},     {5.5, .5, 79},
                   {6, 1.5, 71},   {8, 1, 72},    {9.5, .5, 76},  {10, 1, 76},    {11, 1, 74},
                   {12, 2.5, 72},  {16, 1, 79},   {17.5, .5, 84}, {18, 1.5, 83},  {20, 1, 79},
                   {21.5, .5, 76}, {22, 1.5, 79}, {24, 1, 81},    {25.5, .5, 79}, {26, 1, 77},
                   {27, 1, 76},    {28, 1, 74},   {29.5, .5, 71}, {30, 1.5, 74}},
    },
    {
        .info = {"stillness", "しずけさ", "Stillness", "ゆったりと落ち着いた曲", "Slow and calm",
                 "calm", 8 * 4 * 60. / 68},
        .bpm = 68,
        .beats = 4,
        .chords = {MAJ7(53), MAJ7(53), MIN7(52), MIN7(57), MIN7(50), MIN7(50), MAJ7(48), MAJ7(48)},
        .layers = {{INSTRUMENT_PAD, "c.......", .13, 8, 0},
                   {INSTRUMENT_PIANO, "1.3.4.2.", .26, 3, 12},
                   {INSTRUMENT_BASS, "r.......", .3, 7, 0}},
        .lead = INSTRUMENT_PIANO,
        .lead_level = .24,
        .melody = {{1, 2, 81},
                   {3, 1, 79},
                   {4, 3, 76},
                   {9, 2, 79},
                   {11, 1, 76},
                   {12, 3, 72},
                   {17, 2, 77},
                   {19, 1, 76},
                   {20, 2, 74},
                   {22, 2, 69},
                   {25, 2, 76},
                   {27, 1, 74},
                   {28, 3, 71}},
    },
    {
        .info = {"fanfare", "お祝い", "Celebration", "華やかなお祝いの曲", "Bright and festive",
                 "celebratory", 8 * 4 * 60. / 124},
        .bpm = 124,
        .beats = 4,
        .chords = {MAJOR(62), MAJOR(57), MINOR(59), MAJOR(55), MAJOR(62), MAJOR(57), MAJOR(55),
                   MAJOR(57)},
        .layers = {{INSTRUMENT_PIANO, "c..c..c.", .2, 1.4, 0},
                   {INSTRUMENT_BASS, "r.rr.rr.", .38, 1, -12},
                   {INSTRUMENT_BELL, "12341234", .07, 1, 24},
                   {INSTRUMENT_KICK, "x.x.x.x.", .4, 1, 0},
                   {INSTRUMENT_CLAP, "..x...x.", .07, 1, 0}},
        .lead = INSTRUMENT_PLUCK,
        .lead_level = .36,
        .melody = {{0, .5, 74},  {.5, .5, 78},   {1, 1, 81},  {2.5, .5, 83},  {3, 1, 81},
                   {4, 1, 76},   {5, 1.5, 81},   {7, 1, 76},  {8, .5, 78},    {8.5, .5, 79},
                   {9, 1, 78},   {10.5, .5, 76}, {11, 1, 74}, {12, 1, 71},    {13, 2.5, 74},
                   {16, .5, 78}, {16.5, .5, 81}, {17, 1, 86}, {18.5, .5, 85}, {19, 1, 81},
                   {20, 1, 85},  {21, 1.5, 81},  {23, 1, 76}, {24, .5, 79},   {24.5, .5, 83},
                   {25, 1, 86},  {26.5, .5, 83}, {27, 1, 79}, {28, 1, 81},    {29, 1, 80},
                   {30, 1.5, 81}},
    },
    {
        .info = {"keepsake", "たからもの", "Keepsake", "オルゴールのようなやさしい曲",
                 "Tender, like a music box", "tender", 8 * 3 * 60. / 92},
        .bpm = 92,
        .beats = 3,
        .chords = {MAJOR(55), MINOR(52), MAJOR(60), MAJOR(50), MAJOR(55), MINOR(59), MAJOR(60),
                   MAJOR(50)},
        .layers = {{INSTRUMENT_BELL, "1.3.4.", .14, 2, 12},
                   {INSTRUMENT_PAD, "c.....", .08, 6, 0},
                   {INSTRUMENT_BASS, "r.....", .22, 5, -12}},
        .lead = INSTRUMENT_BELL,
        .lead_level = .24,
        .melody = {{0, 1, 83},
                   {1, 1, 81},
                   {2, 1, 79},
                   {3, 2, 83},
                   {5, 1, 86},
                   {6, 1.5, 84},
                   {7.5, .5, 83},
                   {8, 1, 81},
                   {9, 2.5, 81},
                   {12, 1, 83},
                   {13, 1, 86},
                   {14, 1, 91},
                   {15, 2, 90},
                   {17, 1, 86},
                   {18, 1.5, 88},
                   {19.5, .5, 86},
                   {20, 1, 84},
                   {21, 1, 81},
                   {22, 1.5, 78}},
    },
};
enum { PIECES = sizeof pieces / sizeof *pieces };

size_t music_count(void)
{
    return PIECES;
}

const struct music_info *music_at(size_t index)
{
    return index < PIECES ? &pieces[index].info : NULL;
}

const struct music_info *music_find(const char *id)
{
    for (size_t i = 0; i < PIECES; i++)
        if (id && strcmp(pieces[i].info.id, id) == 0)
            return &pieces[i].info;
    return NULL;
}

struct played {
    enum instrument instrument;
    int pitch;
    double seconds;
    struct pcm sound;
};

/* A loop being put together; a note is made once, however often it is played. */
struct player {
    struct pcm loop;
    size_t count;
    struct played notes[NOTES_MAX];
};

static void player_dispose_auto(struct player **player)
{
    for (size_t i = 0; i < (*player)->count; i++)
        pcm_dispose(&(*player)->notes[i].sound);
    pcm_dispose(&(*player)->loop);
    free(*player);
}

static const struct pcm *note_get(struct player *player, enum instrument instrument, int pitch,
                                  double seconds)
{
    for (size_t i = 0; i < player->count; i++) {
        const struct played *note = &player->notes[i];
        if (note->instrument == instrument && note->pitch == pitch && note->seconds == seconds)
            return &note->sound;
    }
    assert(player->count < NOTES_MAX); /* our own pieces have fewer */
    struct played *added = &player->notes[player->count++];
    *added = (struct played){instrument, pitch, seconds, {0}};
    added->sound = instrument_note(instrument, pitch, seconds, player->loop.rate_hz);
    return &added->sound;
}

/* What sounds beyond the loop's end goes on at its beginning. */
static void note_play(struct player *player, double at_s, enum instrument instrument, int pitch,
                      const double seconds_and_level[2])
{
    struct pcm *loop = &player->loop;
    const struct pcm *note = note_get(player, instrument, pitch, seconds_and_level[0]);
    float level = (float)seconds_and_level[1];
    size_t at = (size_t)(at_s * loop->rate_hz) % loop->count;
    for (size_t i = 0; i < note->count; i++) {
        loop->samples[at] += note->samples[i] * level;
        if (++at == loop->count)
            at = 0;
    }
}

static void step_play(struct player *player, double at_s, const struct layer *layer,
                      const int *chord, char step, double eighth_s)
{
    double how[2] = {layer->length * eighth_s, layer->level};
    if (step == 'c')
        for (int i = 0; i < CHORD; i++)
            note_play(player, at_s, layer->instrument, chord[i] + layer->octave, how);
    else if (step == 'r' || step == 'x')
        note_play(player, at_s, layer->instrument,
                  chord[0] - 12 + layer->octave + 12 * (step == 'x'), how);
    else if (step >= '1' && step <= '4')
        note_play(player, at_s, layer->instrument, chord[step - '1'] + layer->octave, how);
}

static void layer_play(struct player *player, const struct piece *piece, const struct layer *layer)
{
    double eighth_s = 30 / piece->bpm;
    size_t steps = strlen(layer->pattern);
    for (size_t bar = 0; bar < BARS; bar++)
        for (size_t i = 0; i < steps; i++) {
            /* the strong beats a little stronger, as hands do */
            struct layer felt = *layer;
            felt.level *= i == 0 ? 1.1 : i % 2 ? .82 : .95;
            step_play(player, (double)(bar * (size_t)piece->beats * 2 + i) * eighth_s, &felt,
                      piece->chords[bar], layer->pattern[i], eighth_s);
        }
}

/* Four combs around the loop, twice, so that what rings at the end rings at the beginning. */
static void room_add(struct pcm *loop)
{
    static const double delays_s[] = {.0297, .0371, .0411, .0437};
    static const float feedback = .72f, wet = .09f;
    assert(loop->count > 0);
    AUTO(mem_free) float *dry = xreallocarray(NULL, loop->count, sizeof *dry);
    memcpy(dry, loop->samples, loop->count * sizeof *dry);
    for (size_t k = 0; k < sizeof delays_s / sizeof *delays_s; k++) {
        size_t delay = (size_t)(delays_s[k] * loop->rate_hz);
        AUTO(mem_free) float *line = xcalloc(delay, sizeof *line);
        float low = 0;
        for (size_t i = 0; i < loop->count * 2; i++) {
            float echo = line[i % delay];
            low += (echo - low) * .5f;
            line[i % delay] = dry[i % loop->count] + low * feedback;
            if (i >= loop->count)
                loop->samples[i - loop->count] += echo * wet;
        }
    }
}

static struct pcm loop_make(const struct piece *piece)
{
    AUTO(player_dispose) struct player *player = xcalloc(1, sizeof *player);
    player->loop.rate_hz = PLAY_RATE_HZ;
    player->loop.count = (size_t)lround(piece->info.loop_s * PLAY_RATE_HZ);
    player->loop.samples = xcalloc(player->loop.count, sizeof *player->loop.samples);
    for (const struct layer *layer = piece->layers; layer->pattern; layer++)
        layer_play(player, piece, layer);
    for (const struct melody_note *note = piece->melody; note->pitch; note++) {
        double beat_s = 60 / piece->bpm, how[2] = {note->beats * beat_s, piece->lead_level};
        note_play(player, note->beat * beat_s, piece->lead, note->pitch, how);
    }
    struct pcm loop = player->loop;
    player->loop = (struct pcm){0};
    room_add(&loop);
    struct loudness now;
    if (loudness_measure(&loop, &now, NULL) && isfinite(now.lufs))
        for (size_t i = 0; i < loop.count; i++)
            loop.samples[i] *= (float)pow(10, (target_lufs - now.lufs) / 20);
    return loop;
}

struct pcm music_play(const struct music_info *music, int rate_hz, size_t count)
{
    const struct piece *piece = (const struct piece *)music; /* info is its first member */
    AUTO(pcm_dispose) struct pcm loop = loop_make(piece);
    /* Repeated before it is resampled, so that the filter sees no seam. */
    struct pcm all = {.rate_hz = PLAY_RATE_HZ};
    all.count = resampled_count(count, rate_hz, PLAY_RATE_HZ) + 1;
    all.samples = xreallocarray(NULL, all.count, sizeof *all.samples);
    for (size_t i = 0; i < all.count; i++)
        all.samples[i] = loop.samples[i % loop.count];
    struct pcm out = {.rate_hz = rate_hz};
    if (!resample(&all, rate_hz, &out, NULL)) {
        out.count = count + 1;
        out.samples = xcalloc(out.count, sizeof *out.samples);
    }
    pcm_dispose(&all);
    if (out.count > count)
        out.count = count;
    return out;
}
