/* SPDX-License-Identifier: Apache-2.0 */
#include "video/encoder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "support/test.h"
#include "video/renderer.h"

enum { SIDE = 64, FPS = 25, RATE = 16000 };

static void fill(struct frame420 *frame, int index)
{
    for (int plane = 0; plane < 3; plane++)
        for (int i = 0; i < frame->strides[plane] * (plane ? SIDE / 2 : SIDE); i++)
            frame->planes[plane][i] = (uint8_t)(plane ? 128 : 60 + (i * 7 + index * 5) % 100);
}

static struct encoder_options options(void)
{
    return (struct encoder_options){.width = SIDE,
                                    .height = SIDE,
                                    .fps = FPS,
                                    .audio_rate_hz = RATE,
                                    .threads = 2,
                                    .title = "A message"};
}

/* `frames` pictures and `seconds` of a 400 Hz tone that begins at once. */
static void write_video(const char *path, int frames, double seconds)
{
    struct error err;
    struct encoder_options how = options();
    AUTO(encoder_free) struct encoder *encoder = encoder_open(path, &how, &err);
    assert_ok(encoder, &err);
    uint8_t luma[SIDE * SIDE], blue[SIDE * SIDE / 4], red[SIDE * SIDE / 4];
    struct frame420 frame = {SIDE, SIDE, {luma, blue, red}, {SIDE, SIDE / 2, SIDE / 2}};
    size_t count = (size_t)(seconds * RATE);
    AUTO(mem_free) float *tone = xcalloc(count + 1, sizeof *tone);
    for (size_t i = 0; i < count; i++)
        tone[i] = 0.5f * sinf(6.2831853f * 400 * (float)i / RATE);
    size_t given = 0;
    for (int i = 0; i < frames; i++) {
        fill(&frame, i);
        assert_ok(encoder_frame(encoder, &frame, &err), &err);
        size_t part = count - given < 700 ? count - given : 700;
        assert_ok(encoder_audio(encoder, tone + given, part, &err), &err);
        given += part;
    }
    assert_ok(encoder_audio(encoder, tone + given, count - given, &err), &err);
    assert_ok(encoder_finish(encoder, &err), &err);
}

struct probe {
    AVFormatContext *file;
    AVStream *video, *audio;
};

static struct probe probe(const char *path)
{
    struct probe probe = {0};
    assert_int_equal(avformat_open_input(&probe.file, path, NULL, NULL), 0);
    assert_true(avformat_find_stream_info(probe.file, NULL) >= 0);
    assert_int_equal(probe.file->nb_streams, 2);
    probe.video = probe.file->streams[0];
    probe.audio = probe.file->streams[1];
    return probe;
}

static double start_s(const AVStream *stream)
{
    return (double)stream->start_time * av_q2d(stream->time_base);
}

static double duration_s(const AVStream *stream)
{
    return (double)stream->duration * av_q2d(stream->time_base);
}

static void sound_and_picture_start_together_and_are_equally_long(void **state)
{
    static const double sounds_s[] = {2.0, 1.3, 2.7, 0.0, 2.02};
    AUTO(test_dir_free) char *dir = test_dir_new();
    AUTO(mem_free) char *path = xasprintf("%s/a.mp4", dir);
    for (size_t i = 0; i < sizeof sounds_s / sizeof *sounds_s; i++) {
        write_video(path, 50, sounds_s[i]);
        struct probe file = probe(path);
        assert_true(fabs(start_s(file.video)) < 0.001);
        assert_true(fabs(start_s(file.audio)) < 0.001);
        assert_true(fabs(duration_s(file.video) - 2.0) < 0.001);
        assert_true(fabs(duration_s(file.audio) - 2.0) < 1.0 / FPS);
        avformat_close_input(&file.file);
    }
}

static void the_file_says_what_it_is(void **state)
{
    AUTO(test_dir_free) char *dir = test_dir_new();
    AUTO(mem_free) char *path = xasprintf("%s/a.mp4", dir);
    write_video(path, 60, 2.4);
    struct probe file = probe(path);
    const AVCodecParameters *video = file.video->codecpar, *audio = file.audio->codecpar;
    assert_int_equal(video->codec_id, AV_CODEC_ID_H264);
    assert_int_equal(video->profile, FF_PROFILE_H264_HIGH);
    assert_int_equal(video->format, AV_PIX_FMT_YUV420P);
    assert_int_equal(video->color_range, AVCOL_RANGE_MPEG);
    assert_int_equal(video->color_space, AVCOL_SPC_BT709);
    assert_int_equal(video->color_primaries, AVCOL_PRI_BT709);
    assert_int_equal(video->color_trc, AVCOL_TRC_BT709);
    assert_int_equal(file.video->nb_frames, 60);
    assert_int_equal(audio->codec_id, AV_CODEC_ID_AAC);
    assert_int_equal(audio->sample_rate, 48000);
    assert_string_equal(av_dict_get(file.file->metadata, "title", NULL, 0)->value, "A message");
    avformat_close_input(&file.file);
}

static void the_index_comes_before_the_data(void **state)
{
    AUTO(test_dir_free) char *dir = test_dir_new();
    AUTO(mem_free) char *path = xasprintf("%s/a.mp4", dir);
    AUTO(buf_dispose) struct buf file = BUF(1 << 20);
    struct error err;
    write_video(path, 50, 2);
    assert_ok(file_read(path, &file, &err), &err);
    const uint8_t *index = memmem(file.data, file.size, "moov", 4);
    const uint8_t *data = memmem(file.data, file.size, "mdat", 4);
    assert_non_null(index);
    assert_non_null(data);
    assert_true(index < data);
}

/* The first moment at which the decoded sound is loud. */
static double tone_start_s(struct probe *file)
{
    const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_AAC);
    AVCodecContext *decoder = avcodec_alloc_context3(codec);
    avcodec_parameters_to_context(decoder, file->audio->codecpar);
    decoder->pkt_timebase = file->audio->time_base;
    assert_int_equal(avcodec_open2(decoder, codec, NULL), 0);
    AVPacket *packet = av_packet_alloc();
    AVFrame *frame = av_frame_alloc();
    double found = -1;
    while (found < 0 && av_read_frame(file->file, packet) >= 0) {
        if (packet->stream_index == file->audio->index && avcodec_send_packet(decoder, packet) >= 0)
            while (found < 0 && avcodec_receive_frame(decoder, frame) >= 0)
                for (int i = 0; i < frame->nb_samples && found < 0; i++)
                    if (fabsf(((float *)frame->data[0])[i]) > 0.2f)
                        found = (double)frame->pts * av_q2d(file->audio->time_base) + i / 48000.0;
        av_packet_unref(packet);
    }
    av_frame_free(&frame);
    av_packet_free(&packet);
    avcodec_free_context(&decoder);
    return found;
}

static void the_coders_delay_is_not_heard(void **state)
{
    AUTO(test_dir_free) char *dir = test_dir_new();
    AUTO(mem_free) char *path = xasprintf("%s/a.mp4", dir);
    write_video(path, 50, 2);
    struct probe file = probe(path);
    double start = tone_start_s(&file);
    assert_true(start >= 0 && start < 0.010);
    avformat_close_input(&file.file);
}

static void nothing_is_there_before_it_is_finished_nor_left_when_it_is_not(void **state)
{
    AUTO(test_dir_free) char *dir = test_dir_new();
    AUTO(mem_free) char *path = xasprintf("%s/a.mp4", dir);
    AUTO(mem_free) char *part = xasprintf("%s.part", path);
    struct error err;
    struct encoder_options how = options();
    struct encoder *encoder = encoder_open(path, &how, &err);
    assert_ok(encoder, &err);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(access(part, F_OK), 0);
    encoder_free(encoder);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_not_equal(access(part, F_OK), 0);
}

static void errors_name_the_file_and_the_reason(void **state)
{
    struct error err;
    struct encoder_options how = options();
    assert_null(encoder_open("/nowhere/a.mp4", &how, &err));
    assert_error(&err, ERROR_NOT_FOUND,
                 "encode /nowhere/a.mp4: create the file: No such file or directory");
    how.width = 63;
    assert_null(encoder_open("/nowhere/a.mp4", &how, &err));
    assert_error(&err, ERROR_INVALID,
                 "encode /nowhere/a.mp4: 63 × 64 at 25 frames a second cannot be encoded");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_and_picture_start_together_and_are_equally_long),
        cmocka_unit_test(the_file_says_what_it_is),
        cmocka_unit_test(the_index_comes_before_the_data),
        cmocka_unit_test(the_coders_delay_is_not_heard),
        cmocka_unit_test(nothing_is_there_before_it_is_finished_nor_left_when_it_is_not),
        cmocka_unit_test(errors_name_the_file_and_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
