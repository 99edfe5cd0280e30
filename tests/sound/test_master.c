/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <math.h>

#include "base/mem.h"
#include "sound/loudness.h"
#include "sound/music.h"
#include "sound/sound.h"

static const double pi = 3.14159265358979323846;

/* Something like speech: syllables of a buzz with formants, pauses between, an offset. */
static struct pcm syllables(int rate_hz, double seconds, double level)
{
    struct pcm pcm = {.rate_hz = rate_hz, .count = (size_t)(seconds * rate_hz)};
    pcm.samples = xcalloc(pcm.count + 1, sizeof *pcm.samples);
    for (size_t i = 0; i < pcm.count; i++) {
        double t = (double)i / rate_hz;
        double syllable = fmax(0, sin(2 * pi * 3 * t)) * (fmod(t, 2) < 1.6);
        double buzz = 0;
        for (int k = 1; k < 12; k++)
            buzz += sin(2 * pi * 140 * k * t) / (1 + pow(k - 4, 2) * .2);
        pcm.samples[i] = (float)(level * (.3 * syllable * buzz / 3 + .02));
    }
    return pcm;
}

static struct pcm master(const struct pcm *speech, const struct sound_options *options)
{
    struct pcm out = {0};
    struct error err = {0};
    AUTO(pcm_dispose) struct pcm taken = *speech;
    taken.samples = xcalloc(speech->count + 1, sizeof *taken.samples);
    memcpy(taken.samples, speech->samples, speech->count * sizeof *taken.samples);
    assert_ok(sound_master(&taken, options, &out, &err), &err);
    assert_null(taken.samples);
    assert_int_equal(out.rate_hz, SOUND_RATE_HZ);
    assert_int_equal(out.count, sound_length(speech->count, speech->rate_hz, options));
    return out;
}

static struct loudness loudness_of(const struct pcm *pcm)
{
    struct loudness loudness;
    struct error err = {0};
    assert_ok(loudness_measure(pcm, &loudness, &err), &err);
    return loudness;
}

static void everything_comes_out_at_the_same_loudness(void **state)
{
    static const double levels[] = {.003, .1, .5, 1.2};
    static const int rates_hz[] = {16000, 24000, 32000, 44100, 48000};
    for (size_t i = 0; i < 20; i += 3) {
        AUTO(pcm_dispose) struct pcm speech = syllables(rates_hz[i / 4], 1.2, levels[i % 4]);
        struct sound_options options = sound_options_defaults();
        AUTO(pcm_dispose) struct pcm out = master(&speech, &options);
        struct loudness loudness = loudness_of(&out);
        assert_true(fabs(loudness.lufs + 16) < .5);
        assert_true(loudness.peak_dbtp <= -1);
    }
}

static void a_single_short_word_is_levelled_too(void **state)
{
    AUTO(pcm_dispose) struct pcm speech = syllables(16000, .25, .1);
    struct sound_options options = sound_options_defaults();
    AUTO(pcm_dispose) struct pcm out = master(&speech, &options);
    assert_true(fabs(loudness_of(&out).lufs + 16) < .5);
}

static void volume_moves_away_from_the_standard_loudness(void **state)
{
    AUTO(pcm_dispose) struct pcm speech = syllables(24000, 1.5, .3);
    static const struct {
        double volume, lufs;
    } cases[] = {{.5, -22}, {.25, -28}, {1.2, -14.4}};
    for (size_t i = 0; i < 3; i++) {
        struct sound_options options = sound_options_defaults();
        options.volume = cases[i].volume;
        AUTO(pcm_dispose) struct pcm out = master(&speech, &options);
        assert_true(fabs(loudness_of(&out).lufs - cases[i].lufs) < .5);
        assert_true(loudness_of(&out).peak_dbtp <= -1);
    }
    struct sound_options options = sound_options_defaults();
    options.volume = 0;
    AUTO(pcm_dispose) struct pcm out = master(&speech, &options);
    for (size_t i = 0; i < out.count; i++)
        assert_true(out.samples[i] == 0);
}

static void silence_stays_silent(void **state)
{
    AUTO(pcm_dispose) struct pcm speech = syllables(16000, 2, 0);
    struct sound_options options = sound_options_defaults();
    AUTO(pcm_dispose) struct pcm out = master(&speech, &options);
    for (size_t i = 0; i < out.count; i++)
        assert_true(out.samples[i] == 0);
}

/* The centre of what is heard. */
static double centre_s(const struct pcm *pcm)
{
    double sum = 0, moment = 0;
    for (size_t i = 0; i < pcm->count; i++) {
        double energy = pow((double)pcm->samples[i], 2);
        sum += energy;
        moment += energy * (double)i;
    }
    return moment / sum / pcm->rate_hz;
}

static void nothing_moves_in_time(void **state)
{
    static const int rates_hz[] = {16000, 32000, 48000};
    for (size_t k = 0; k < 3; k++) {
        struct pcm speech = {.rate_hz = rates_hz[k], .count = (size_t)rates_hz[k]};
        AUTO(mem_free) float *samples = xcalloc(speech.count, sizeof *samples);
        speech.samples = samples;
        for (size_t i = 0; i < speech.count / 5; i++) /* 0.2 s, from 0.6 s on */
            samples[speech.count * 6 / 10 + i] =
                (float)(.3 * sin(2 * pi * 700 * (double)i / speech.rate_hz) *
                        sin(pi * (double)i * 5 / (double)speech.count));
        struct sound_options options = sound_options_defaults();
        options.lead_s = .25;
        options.tail_s = .5;
        AUTO(pcm_dispose) struct pcm out = master(&speech, &options);
        assert_true(fabs(centre_s(&out) - .25 - centre_s(&speech)) < .001);
        for (size_t i = 0; i < SOUND_RATE_HZ / 5; i++)
            assert_true(out.samples[i] == 0);
    }
}

static void offsets_and_steps_are_gone(void **state)
{
    struct pcm speech = {.rate_hz = 16000, .count = 32000};
    AUTO(mem_free) float *samples = xcalloc(speech.count, sizeof *samples);
    speech.samples = samples;
    for (size_t i = 0; i < speech.count; i++)
        samples[i] = (float)(.2 + .1 * sin(2 * pi * 300 * (double)i / 16000));
    struct sound_options options = sound_options_defaults();
    AUTO(pcm_dispose) struct pcm out = master(&speech, &options);
    double sum = 0;
    for (size_t i = 0; i < out.count; i++)
        sum += (double)out.samples[i];
    assert_true(fabs(sum / (double)out.count) < 1e-3);
    assert_true(fabs((double)out.samples[0]) < .01);
    assert_true(fabs((double)out.samples[out.count - 1]) < .01);
}

static void music_stays_under_the_voice(void **state)
{
    AUTO(pcm_dispose) struct pcm speech = syllables(24000, 4, .3);
    assert_true(music_count() >= 3);
    for (size_t i = 0; i < music_count(); i += 2) {
        struct sound_options options = sound_options_defaults();
        AUTO(pcm_dispose) struct pcm plain = master(&speech, &options);
        options.bgm = music_at(i)->id;
        AUTO(pcm_dispose) struct pcm mixed = master(&speech, &options);
        assert_true(fabs(loudness_of(&mixed).lufs + 16) < .5);
        assert_true(loudness_of(&mixed).peak_dbtp <= -1);
        double music = 0, voice = 0;
        for (size_t k = 0; k < plain.count; k++) {
            music += pow((double)mixed.samples[k] - (double)plain.samples[k], 2);
            voice += pow((double)plain.samples[k], 2);
        }
        double under_db = 10 * log10(voice / music);
        assert_true(under_db > 9 && under_db < 30);
    }
}

static void unknown_music_is_named(void **state)
{
    AUTO(pcm_dispose) struct pcm speech = syllables(16000, 1, .3);
    struct sound_options options = sound_options_defaults();
    struct pcm out = {0};
    struct error err = {0};
    options.bgm = "polka";
    assert_false(sound_master(&speech, &options, &out, &err));
    assert_string_equal(err.field, "bgm");
    assert_string_equal(err.code, "bgm_unknown");
    assert_null(out.samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_comes_out_at_the_same_loudness),
        cmocka_unit_test(a_single_short_word_is_levelled_too),
        cmocka_unit_test(volume_moves_away_from_the_standard_loudness),
        cmocka_unit_test(silence_stays_silent),
        cmocka_unit_test(nothing_moves_in_time),
        cmocka_unit_test(offsets_and_steps_are_gone),
        cmocka_unit_test(music_stays_under_the_voice),
        cmocka_unit_test(unknown_music_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
