/* SPDX-License-Identifier: Apache-2.0 */
#include "video/encoder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "video/renderer.h"

/* Sound is encoded when the picture has reached it, so packets lie in the file as a player needs
 * them, and at the end it is known how long the sound may be. */

enum {
    FILE_RATE_HZ = 48000,
    AUDIO_BIT_RATE = 112000,
    KEYFRAME_S = 2,
    CONVERT_SAMPLES = 4096, /* input samples resampled at once */
};

/* As careful as the time allows: a message of ten seconds at 512 × 512 must be done in two seconds
 * on two cores (speech and frames included), larger ones in about a third of their length. */
static const struct {
    int64_t up_to_pixels_a_second;
    const char *preset, *crf;
    /* Frames. Each of them is kept until it is coded, 3 MB at 720 × 1280. */
    const char *look_ahead;
} qualities[] = {{10 * 1000 * 1000, "medium", "22", "40"}, {INT64_MAX, "fast", "21.5", "20"}};

struct samples {
    float *data;
    size_t start, count, capacity; /* what is there begins at data[start] */
};

struct encoder {
    struct encoder_options options;
    char *path, *part;
    AVFormatContext *file;
    AVCodecContext *video, *audio;
    AVStream *video_stream, *audio_stream;
    SwrContext *resampler;
    AVPacket *packet;
    AVFrame *picture, *sound;
    struct samples pending; /* 48 kHz, not yet encoded */
    int64_t frames, sound_position;
    bool header_written, published;
};

static bool fail(struct error *err, int code, const char *doing)
{
    if (code == AVERROR(ENOMEM) || AVUNERROR(code) <= 0 || AVUNERROR(code) > 4095) {
        char text[AV_ERROR_MAX_STRING_SIZE] = "";
        av_strerror(code, text, sizeof text);
        return error_set(err, ERROR_INTERNAL, "%s: %s", doing, text);
    }
    return error_os(err, AVUNERROR(code), "%s", doing);
}

/* --- opening ---------------------------------------------------------------------------------- */

static bool open_video(struct encoder *encoder, struct error *err)
{
    const struct encoder_options *options = &encoder->options;
    const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
    if (!codec)
        return error_set(err, ERROR_UNAVAILABLE, "libavcodec was built without libx264");
    AVCodecContext *video = encoder->video = avcodec_alloc_context3(codec);
    if (!video)
        return error_set(err, ERROR_INTERNAL, "allocate the video encoder");
    video->width = options->width;
    video->height = options->height;
    video->pix_fmt = AV_PIX_FMT_YUV420P;
    video->time_base = (AVRational){1, options->fps};
    video->framerate = (AVRational){options->fps, 1};
    video->sample_aspect_ratio = (AVRational){1, 1};
    video->gop_size = options->fps * KEYFRAME_S;
    video->thread_count = options->threads > 0 ? options->threads : 1;
    video->color_primaries = AVCOL_PRI_BT709;
    video->color_trc = AVCOL_TRC_BT709;
    video->colorspace = AVCOL_SPC_BT709;
    video->color_range = AVCOL_RANGE_MPEG;
    video->chroma_sample_location = AVCHROMA_LOC_LEFT;
    video->profile = FF_PROFILE_H264_HIGH;
    video->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_CLOSED_GOP;
    int64_t pixels_a_second = (int64_t)options->width * options->height * options->fps;
    int quality = 0;
    while (pixels_a_second > qualities[quality].up_to_pixels_a_second)
        quality++;
    av_opt_set(video->priv_data, "preset", qualities[quality].preset, 0);
    av_opt_set(video->priv_data, "crf", qualities[quality].crf, 0);
    av_opt_set(video->priv_data, "rc-lookahead", qualities[quality].look_ahead, 0);
    av_opt_set(video->priv_data, "profile", "high", 0);
    int code = avcodec_open2(video, codec, NULL);
    return code >= 0 || fail(err, code, "open the H.264 encoder");
}

static bool open_audio(struct encoder *encoder, struct error *err)
{
    const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_AAC);
    AVCodecContext *audio = encoder->audio = codec ? avcodec_alloc_context3(codec) : NULL;
    if (!audio)
        return error_set(err, ERROR_UNAVAILABLE, "libavcodec was built without an AAC encoder");
    audio->sample_fmt = AV_SAMPLE_FMT_FLTP;
    audio->sample_rate = FILE_RATE_HZ;
    audio->time_base = (AVRational){1, FILE_RATE_HZ};
    audio->bit_rate = AUDIO_BIT_RATE;
    audio->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    av_channel_layout_default(&audio->ch_layout, 1);
    av_opt_set(audio->priv_data, "aac_coder", "fast", 0);
    int code = avcodec_open2(audio, codec, NULL);
    if (code < 0)
        return fail(err, code, "open the AAC encoder");
    code = swr_alloc_set_opts2(&encoder->resampler, &audio->ch_layout, AV_SAMPLE_FMT_FLTP,
                               FILE_RATE_HZ, &audio->ch_layout, AV_SAMPLE_FMT_FLTP,
                               encoder->options.audio_rate_hz, 0, NULL);
    if (code >= 0)
        code = swr_init(encoder->resampler);
    return code >= 0 || fail(err, code, "open the resampler");
}

static bool add_stream(struct encoder *encoder, AVCodecContext *codec, AVStream **out,
                       struct error *err)
{
    AVStream *stream = avformat_new_stream(encoder->file, NULL);
    int code = stream ? avcodec_parameters_from_context(stream->codecpar, codec) : AVERROR(ENOMEM);
    if (code < 0)
        return fail(err, code, "add a stream");
    stream->time_base = codec->time_base;
    if (codec->codec_type == AVMEDIA_TYPE_VIDEO)
        stream->avg_frame_rate = codec->framerate;
    *out = stream;
    return true;
}

static bool open_file(struct encoder *encoder, struct error *err)
{
    int code = avformat_alloc_output_context2(&encoder->file, NULL, "mp4", encoder->part);
    if (code < 0)
        return fail(err, code, "make an MP4 file");
    if (!add_stream(encoder, encoder->video, &encoder->video_stream, err) ||
        !add_stream(encoder, encoder->audio, &encoder->audio_stream, err))
        return false;
    encoder->file->flags |= AVFMT_FLAG_BITEXACT; /* no version of a library in the file */
    if (encoder->options.title)
        av_dict_set(&encoder->file->metadata, "title", encoder->options.title, 0);
    if (encoder->options.comment)
        av_dict_set(&encoder->file->metadata, "comment", encoder->options.comment, 0);
    code = avio_open(&encoder->file->pb, encoder->part, AVIO_FLAG_WRITE);
    if (code < 0)
        return fail(err, code, "create the file");
    AVDictionary *settings = NULL;
    av_dict_set(&settings, "movflags", "+faststart", 0);
    code = avformat_write_header(encoder->file, &settings);
    av_dict_free(&settings);
    encoder->header_written = code >= 0;
    return code >= 0 || fail(err, code, "write the header");
}

/* What the library would print goes to our log, errors only. */
__attribute__((format(printf, 3, 0))) static void to_log(void *context, int level,
                                                         const char *format, va_list values)
{
    char text[240];
    if (level > AV_LOG_ERROR)
        return;
    vsnprintf(text, sizeof text, format, values);
    log_warn("encoder.library", LOG_TEXT("text", text));
}

struct encoder *encoder_open(const char *path, const struct encoder_options *options,
                             struct error *err)
{
    av_log_set_callback(to_log);
    AUTO(encoder_free) struct encoder *encoder = xcalloc(1, sizeof *encoder);
    encoder->options = *options;
    encoder->path = xstrdup(path);
    encoder->part = xasprintf("%s.part", path);
    encoder->packet = av_packet_alloc();
    encoder->picture = av_frame_alloc();
    encoder->sound = av_frame_alloc();
    bool fits = options->width > 0 && options->height > 0 && options->width % 2 == 0 &&
                options->height % 2 == 0 && options->fps > 0 && options->audio_rate_hz > 0;
    if (!fits)
        error_set(err, ERROR_INVALID, "%d × %d at %d frames a second cannot be encoded",
                  options->width, options->height, options->fps);
    if (!fits || !encoder->packet || !encoder->picture || !encoder->sound ||
        !open_video(encoder, err) || !open_audio(encoder, err) || !open_file(encoder, err)) {
        error_wrap(err, "encode %s", path);
        return NULL;
    }
    return TAKE(encoder);
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Gives `frame` (NULL flushes) to the codec and writes every packet that is ready. */
static bool encode(struct encoder *encoder, AVCodecContext *codec, AVStream *stream,
                   const AVFrame *frame, struct error *err)
{
    int code = avcodec_send_frame(codec, frame);
    if (code < 0)
        return fail(err, code, "encode");
    while ((code = avcodec_receive_packet(codec, encoder->packet)) >= 0) {
        AVPacket *packet = encoder->packet;
        packet->stream_index = stream->index;
        if (codec == encoder->video && packet->duration == 0)
            packet->duration = 1;
        av_packet_rescale_ts(packet, codec->time_base, stream->time_base);
        code = av_interleaved_write_frame(encoder->file, packet);
        if (code < 0)
            return fail(err, code, "write");
    }
    return code == AVERROR(EAGAIN) || code == AVERROR_EOF || fail(err, code, "encode");
}

static bool encode_sound(struct encoder *encoder, size_t count, struct error *err)
{
    AVFrame *sound = encoder->sound;
    struct samples *pending = &encoder->pending;
    sound->format = AV_SAMPLE_FMT_FLTP;
    sound->sample_rate = FILE_RATE_HZ;
    sound->nb_samples = (int)count;
    sound->pts = encoder->sound_position;
    int code = av_channel_layout_copy(&sound->ch_layout, &encoder->audio->ch_layout);
    if (code >= 0)
        code = av_frame_get_buffer(sound, 0);
    if (code < 0)
        return fail(err, code, "encode sound");
    memcpy(sound->data[0], pending->data + pending->start, count * sizeof(float));
    pending->start += count;
    pending->count -= count;
    encoder->sound_position += (int64_t)count;
    bool ok = encode(encoder, encoder->audio, encoder->audio_stream, sound, err);
    av_frame_unref(sound);
    return ok;
}

static int64_t picture_end(const struct encoder *encoder) /* in samples */
{
    return encoder->frames * FILE_RATE_HZ / encoder->options.fps;
}

/* Whole AAC frames, as far as there is picture. */
static bool encode_ready_sound(struct encoder *encoder, struct error *err)
{
    size_t size = (size_t)encoder->audio->frame_size;
    while (encoder->pending.count >= size &&
           encoder->sound_position + (int64_t)size <= picture_end(encoder))
        if (!encode_sound(encoder, size, err))
            return false;
    return true;
}

static void keep_buffer(void *opaque, uint8_t *data) {}

bool encoder_frame(struct encoder *encoder, const struct frame420 *frame, struct error *err)
{
    AVFrame *picture = encoder->picture;
    picture->format = AV_PIX_FMT_YUV420P;
    picture->width = frame->width;
    picture->height = frame->height;
    picture->pts = encoder->frames;
    /* Borrowed without copying: libx264 has taken the picture when `encode` returns. */
    for (int plane = 0; plane < 3; plane++) {
        int rows = plane ? frame->height / 2 : frame->height;
        picture->data[plane] = frame->planes[plane];
        picture->linesize[plane] = frame->strides[plane];
        picture->buf[plane] =
            av_buffer_create(frame->planes[plane], (size_t)frame->strides[plane] * (size_t)rows,
                             keep_buffer, NULL, AV_BUFFER_FLAG_READONLY);
        if (!picture->buf[plane])
            return error_set(err, ERROR_INTERNAL, "encode picture: out of memory");
    }
    bool ok = encode(encoder, encoder->video, encoder->video_stream, picture, err);
    av_frame_unref(picture);
    encoder->frames++;
    ok = ok && encode_ready_sound(encoder, err);
    return ok || error_wrap(err, "encode %s", encoder->path);
}

/* Room for `count` more samples at the end. */
static float *samples_reserve(struct samples *samples, size_t count)
{
    if (samples->start + samples->count + count > samples->capacity) {
        if (samples->count) /* before the first there is no storage either */
            memmove(samples->data, samples->data + samples->start, samples->count * sizeof(float));
        samples->start = 0;
        if (samples->count + count > samples->capacity) {
            samples->capacity = (samples->count + count) * 2;
            samples->data = xreallocarray(samples->data, samples->capacity, sizeof(float));
        }
    }
    return samples->data + samples->start + samples->count;
}

/* `samples` NULL: what the resampler still holds. */
static bool resample(struct encoder *encoder, const float *samples, size_t count, struct error *err)
{
    int room = swr_get_out_samples(encoder->resampler, (int)count);
    if (room <= 0)
        return true;
    uint8_t *out = (uint8_t *)samples_reserve(&encoder->pending, (size_t)room);
    const uint8_t *in = (const uint8_t *)samples;
    int made = swr_convert(encoder->resampler, &out, room, samples ? &in : NULL, (int)count);
    if (made < 0)
        return fail(err, made, "resample");
    encoder->pending.count += (size_t)made;
    return true;
}

bool encoder_audio(struct encoder *encoder, const float *samples, size_t count, struct error *err)
{
    while (count > 0) {
        size_t part = count < CONVERT_SAMPLES ? count : CONVERT_SAMPLES;
        if (!resample(encoder, samples, part, err) || !encode_ready_sound(encoder, err))
            return error_wrap(err, "encode %s", encoder->path);
        samples += part;
        count -= part;
    }
    return true;
}

/* --- the end ---------------------------------------------------------------------------------- */

/* The sound ends with the picture: what is missing is silence, what is too long falls away. */
static bool finish_sound(struct encoder *encoder, struct error *err)
{
    if (!resample(encoder, NULL, 0, err))
        return false;
    int64_t left = picture_end(encoder) - encoder->sound_position;
    struct samples *pending = &encoder->pending;
    if (left > 0 && (size_t)left > pending->count) {
        size_t missing = (size_t)left - pending->count;
        memset(samples_reserve(pending, missing), 0, missing * sizeof(float));
        pending->count += missing;
    }
    size_t size = (size_t)encoder->audio->frame_size;
    for (; left > 0; left -= (int64_t)size)
        if (!encode_sound(encoder, (size_t)left < size ? (size_t)left : size, err))
            return false;
    return encode(encoder, encoder->audio, encoder->audio_stream, NULL, err);
}

bool encoder_finish(struct encoder *encoder, struct error *err)
{
    int code = 0;
    if (encoder->frames == 0)
        return error_set(err, ERROR_INVALID, "encode %s: not one picture was given", encoder->path);
    if (!finish_sound(encoder, err) ||
        !encode(encoder, encoder->video, encoder->video_stream, NULL, err))
        return error_wrap(err, "encode %s", encoder->path);
    code = av_write_trailer(encoder->file);
    int closed = avio_closep(&encoder->file->pb);
    if (code < 0 || closed < 0) {
        fail(err, code < 0 ? code : closed, "write the index");
        return error_wrap(err, "encode %s", encoder->path);
    }
    if (rename(encoder->part, encoder->path) != 0)
        return error_os(err, errno, "publish %s", encoder->path);
    encoder->published = true;
    return true;
}

void encoder_free(struct encoder *encoder)
{
    if (!encoder)
        return;
    if (encoder->file)
        avio_closep(&encoder->file->pb);
    if (!encoder->published)
        unlink(encoder->part);
    avformat_free_context(encoder->file);
    avcodec_free_context(&encoder->video);
    avcodec_free_context(&encoder->audio);
    swr_free(&encoder->resampler);
    av_packet_free(&encoder->packet);
    av_frame_free(&encoder->picture);
    av_frame_free(&encoder->sound);
    free(encoder->pending.data);
    free(encoder->path);
    free(encoder->part);
    free(encoder);
}
