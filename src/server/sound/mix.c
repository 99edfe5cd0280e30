/* SPDX-License-Identifier: Apache-2.0 */
#include "sound/mix.h"

#include <math.h>
#include <stddef.h>

#include "base/auto.h"
#include "media/pcm.h"
#include "sound/music.h"

static const double open_gain = .5;    /* in pauses: 6 dB under the music's own level */
static const double ducked_gain = .18; /* under speech: 15 dB */
static const double speaking = .02;    /* envelope above which somebody speaks, of full scale */
static const double attack_s = .06, release_s = .5, fade_in_s = .4, fade_out_s = .9;

static double coefficient(double seconds, int rate_hz)
{
    return 1 - exp(-1 / (seconds * rate_hz));
}

static double fades(size_t at, const struct pcm *speech)
{
    double from_start = (double)at / speech->rate_hz;
    double to_end = (double)(speech->count - at) / speech->rate_hz;
    return fmin(1, from_start / fade_in_s) * fmin(1, to_end / fade_out_s);
}

bool mix_music(struct pcm *speech, const struct music_info *music, double level, struct error *err)
{
    AUTO(pcm_dispose) struct pcm under = music_play(music, speech->rate_hz, speech->count);
    double attack = coefficient(attack_s, speech->rate_hz);
    double release = coefficient(release_s, speech->rate_hz);
    double follow = coefficient(.01, speech->rate_hz);
    double envelope = 0, gain = open_gain;
    size_t ahead = (size_t)(attack_s * speech->rate_hz); /* down before the first word, not after */
    for (size_t i = 0; i < speech->count + ahead; i++) {
        double now = i < speech->count ? fabs((double)speech->samples[i]) : 0;
        envelope += (now - envelope) * follow;
        double wanted = envelope > speaking ? ducked_gain : open_gain;
        gain += (wanted - gain) * (wanted < gain ? attack : release);
        if (i < ahead)
            continue;
        size_t at = i - ahead;
        under.samples[at] *= (float)(gain * level * fades(at, speech));
    }
    for (size_t i = 0; i < speech->count; i++)
        speech->samples[i] += under.samples[i];
    return true;
}
