/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <complex.h>
#include <math.h>
#include <string.h>

#include "voice/vocoder.h"

enum { ORDER = 6, PERIOD = 240, FRAMES = 10, COUNT = FRAMES * PERIOD };

static const double spectrum[ORDER + 1] = {.4, 1.1, -.3, .5, .2, -.25, .1};
static const double rate_hz = 48000, alpha = .5;

static struct vocoder_shape shape(size_t taps)
{
    return (struct vocoder_shape){
        .order = ORDER, .taps = taps, .period = PERIOD, .rate_hz = rate_hz, .alpha = alpha};
}

static void speak(const struct vocoder_shape *how, const struct vocoder_frame *frame, float *out)
{
    struct vocoder vocoder;
    assert_true(vocoder_fits(how));
    vocoder_init(&vocoder, how);
    for (int i = 0; i < FRAMES; i++)
        vocoder_frame(&vocoder, frame, out + i * PERIOD);
}

/* What mel-cepstra mean: the logarithm of the gain at a frequency, on the warped scale. */
static double gain_at(double omega)
{
    double warped = omega + 2 * atan(alpha * sin(omega) / (1 - alpha * cos(omega))), sum = 0;
    for (int i = 0; i <= ORDER; i++)
        sum += spectrum[i] * cos(i * warped);
    return exp(sum);
}

static void a_pulse_has_the_spectrum_that_was_asked_for(void **state)
{
    enum { LONG_ENOUGH = 2300 }; /* at 20 Hz a pulse comes every 2,400 samples: one in all */
    const struct vocoder_frame frame = {.spectrum = spectrum, .voiced = true, .log_pitch = log(20)};
    struct vocoder_shape how = shape(0);
    float sound[COUNT];
    speak(&how, &frame, sound);
    for (double omega = .02; omega < 3; omega += .13) {
        double complex sum = 0;
        for (int n = 0; n < LONG_ENOUGH; n++)
            sum += (double)sound[n] * cexp(-I * omega * n);
        double made = cabs(sum) / sqrt(rate_hz / 20);
        assert_true(fabs(20 * log10(made / gain_at(omega))) < .1);
    }
}

static void pulses_come_as_often_as_the_pitch_says(void **state)
{
    static const double flat[ORDER + 1] = {0}, interval = 239.95;
    const struct vocoder_frame frame = {
        .spectrum = flat, .voiced = true, .log_pitch = log(rate_hz / interval)};
    struct vocoder_shape how = shape(0);
    float sound[COUNT];
    speak(&how, &frame, sound);
    for (int n = 0; n < COUNT; n++)
        assert_true(fabs((double)sound[n] - (n % 240 == 0 ? sqrt(interval) : 0)) < 1e-3);
}

static double power(const float *sound)
{
    double sum = 0;
    for (int n = 0; n < COUNT; n++)
        sum += (double)sound[n] * (double)sound[n];
    return sum / COUNT;
}

static void noise_and_pulses_are_equally_loud_and_can_be_mixed(void **state)
{
    static const double flat[ORDER + 1] = {0}, half[3] = {0, .5, 0};
    const struct vocoder_frame hiss = {.spectrum = flat, .mix = half},
                               mixed = {.spectrum = flat,
                                        .mix = half,
                                        .voiced = true,
                                        .log_pitch = log(200)};
    struct vocoder_shape how = shape(3);
    float sound[COUNT], again[COUNT];
    speak(&how, &hiss, sound);
    assert_true(fabs(power(sound) - 1) < .1);
    speak(&how, &hiss, again); /* no two runs differ */
    assert_memory_equal(sound, again, sizeof sound);
    speak(&how, &mixed, sound);
    assert_true(fabs(power(sound) - .5) < .1); /* half of each, by amplitude */
}

static void what_there_is_no_room_for_does_not_fit(void **state)
{
    struct vocoder_shape how = shape(31);
    assert_true(vocoder_fits(&how));
    how.taps = 30;
    assert_false(vocoder_fits(&how));
    how.taps = VOCODER_TAPS + 2;
    assert_false(vocoder_fits(&how));
    how = shape(0);
    how.order = VOCODER_ORDER + 1;
    assert_false(vocoder_fits(&how));
    how = shape(0);
    how.period = VOCODER_PERIOD + 1;
    assert_false(vocoder_fits(&how));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pulse_has_the_spectrum_that_was_asked_for),
        cmocka_unit_test(pulses_come_as_often_as_the_pitch_says),
        cmocka_unit_test(noise_and_pulses_are_equally_loud_and_can_be_mixed),
        cmocka_unit_test(what_there_is_no_room_for_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
