/* SPDX-License-Identifier: Apache-2.0 */
#include "api/problem_table.h"

#include <string.h>

#define ROW(c, s, title_en, title_ja, detail_en, detail_ja, ...)                                   \
    {                                                                                              \
        .code = (c), .status = (s),                                                                \
        .title = {[LANGUAGE_EN] = (title_en), [LANGUAGE_JA] = (title_ja)},                         \
        .detail = {[LANGUAGE_EN] = (detail_en), [LANGUAGE_JA] = (detail_ja)}, __VA_ARGS__          \
    }

static const struct problem_row rows[] = {
    /* The request itself */
    ROW("not_found", 404, "Not found", "見つかりません", "There is nothing at this address.",
        "このアドレスには何もありません。"),
    ROW("method_not_allowed", 405, "Method not allowed", "このメソッドは使えません",
        "This address does not take this method; the Allow field lists those that it does.",
        "このアドレスではこのメソッドは使えません。使えるものは Allow ヘッダーにあります。"),
    ROW("path_malformed", 400, "Malformed address", "アドレスの形式が正しくありません",
        "The path has a broken escape or characters that do not belong there.",
        "パスに壊れたエスケープ、または使えない文字が含まれています。"),
    ROW("request_malformed", 400, "Malformed request", "リクエストの形式が正しくありません",
        "The request's header is incomplete or contradicts itself.",
        "リクエストのヘッダーが不完全か、矛盾しています。", .show_reason = true),
    ROW("uri_too_long", 414, "The address is too long", "アドレスが長すぎます",
        "An address may have up to 8,192 bytes.", "アドレスは 8,192 バイトまでです。"),
    ROW("headers_too_large", 431, "The header is too large", "ヘッダーが大きすぎます",
        "The request's header has too many fields or too much in them. Remove cookies, or try "
        "another browser window.",
        "リクエストのヘッダーが大きすぎます。Cookie "
        "を削除するか、別のウィンドウでお試しください。"),
    ROW("host_denied", 421, "Not a name of this service", "このサービスの名前ではありません",
        "This service does not answer to the name in this address. Use http://localhost with its "
        "port, or its own address; or start it with --allowed-host and that name.",
        "このアドレスの名前では応答しません。http://localhost とポート番号、またはサーバーの "
        "アドレスを使うか、--allowed-host にその名前を指定して起動してください。",
        .show_reason = true),
    ROW("body_too_large", 413, "Too much data", "データが大きすぎます",
        "The request is larger than allowed. A photo may have 10 MB.",
        "送信されたデータが上限を超えています。写真は 10 MB までです。"),
    ROW("media_type_unsupported", 415, "Unsupported kind of data", "対応していないデータ形式です",
        "Send this request as multipart/form-data.",
        "このリクエストは multipart/form-data で送信してください。"),
    ROW("json_expected", 415, "Unsupported kind of data", "対応していないデータ形式です",
        "Send this request as application/json.",
        "このリクエストは application/json で送信してください。"),
    ROW("multipart_malformed", 400, "The form is incomplete or damaged",
        "フォームのデータが壊れています", "The form could not be read to its end. Send it again.",
        "フォームを最後まで読み取れませんでした。もう一度送信してください。", .show_reason = true),
    ROW("multipart_header_too_large", 400, "The form is damaged", "フォームのデータが壊れています",
        "The header of one part of the form is too large.",
        "フォームの項目のヘッダーが大きすぎます。"),
    ROW("json_malformed", 400, "Malformed JSON", "JSON の形式が正しくありません",
        "The body is not the JSON that is expected here.", "本文の JSON を読み取れませんでした。",
        .show_reason = true),
    ROW("part_unknown", 400, "Unknown field", "不明な項目です",
        "The form has a field that is not known here. The page /docs lists those that are.",
        "このフォームにない項目が送信されました。使える項目は /docs にあります。",
        .text_is_field = true),
    ROW("part_duplicate", 400, "A field was sent twice", "同じ項目が二度送信されました",
        "Send each field only once.", "それぞれの項目は一度だけ送信してください。"),
    ROW("part_missing", 400, "A field is missing", "必要な項目がありません",
        "A field that is needed was not sent.", "必要な項目が送信されていません。"),
    ROW("part_kind", 400, "Text expected, file sent", "ファイルではなく文字が必要です",
        "This field takes text, not a file.",
        "この項目にはファイルではなく文字を送信してください。"),
    ROW("part_too_large", 413, "A field is too large", "項目が大きすぎます",
        "This field is larger than allowed.", "この項目は上限を超えています。"),
    ROW("part_not_utf8", 400, "Not UTF-8", "文字コードが正しくありません",
        "This field is not valid UTF-8.", "この項目は UTF-8 として正しくありません。"),
    ROW("parameter_invalid", 400, "Invalid parameter", "パラメーターが正しくありません",
        "A parameter in the address is missing or has a value that is not allowed.",
        "アドレスのパラメーターがないか、値が正しくありません。", .show_reason = true),
    ROW("origin_denied", 403, "Request from another site", "別のサイトからのリクエストです",
        "A page of another site must not send this request.",
        "別のサイトのページからこのリクエストは送信できません。"),
    ROW("metrics_denied", 403, "Only on this machine", "このマシンからだけ見られます",
        "Figures are told on the machine of the service only. To have them collected from another "
        "one, start it with --metrics network.",
        "メトリクスはサービスのマシン上からだけ取得できます。別のマシンから収集するには "
        "--metrics network を指定して起動してください。"),
    ROW("jobs_denied", 403, "Only on this machine", "このマシンからだけ見られます",
        "The list of messages is shown on the machine of the service only, or through ssh to it.",
        "メッセージの一覧は、サービスのマシン上か、そこへの ssh 経由でだけ見られます。"),
    ROW("range_unsatisfiable", 416, "Range not available", "指定した範囲がありません",
        "The file is shorter than the range that was asked for.",
        "指定された範囲はファイルの長さを超えています。"),
    ROW("precondition_failed", 412, "The file has changed", "ファイルが変わっています",
        "The file is not the one that was asked for.", "ファイルが指定されたものと異なります。"),

    /* The text */
    ROW("text_empty", 422, "No text", "文章がありません", "Type what should be said.",
        "話す内容を入力してください。"),
    ROW("text_too_long", 422, "The text is too long", "文章が長すぎます",
        "The text may have up to 1,000 characters.", "文章は 1,000 文字までです。"),
    ROW("text_not_utf8", 400, "The text is not UTF-8", "文章の文字コードが正しくありません",
        "The text could not be read. Send it as UTF-8.",
        "文章を読み取れませんでした。UTF-8 で送信してください。"),
    ROW("text_control_characters", 422, "Control characters in the text",
        "文章に制御文字が含まれています",
        "The text has invisible control characters. Remove them, or type the text again.",
        "文章に目に見えない制御文字が含まれています。取り除くか、入力し直してください。"),
    ROW("text_unspeakable", 422, "Nothing to say", "読み上げられる文字がありません",
        "The text has no letters, numbers or words that a voice could say.",
        "文章に読み上げられる文字や数字が含まれていません。"),
    ROW("voice_text_unspeakable", 422, "The voice cannot read this", "この声では読めません",
        "The text has letters that this voice cannot read. Write in Japanese or English, and "
        "choose "
        "a voice of that language.",
        "この声では読めない文字があります。日本語か英語で書き、その言語の声を選んでください。",
        .show_reason = true),

    /* Choices */
    ROW("voice_unknown", 422, "Unknown voice", "その声はありません",
        "There is no voice with this name. /api/voices lists all voices.",
        "指定された声はありません。使える声は /api/voices にあります。"),
    ROW("voice_out_of_range", 422, "Number out of range", "数値が範囲外です",
        "Speed, pitch, intonation, volume or pause is outside its range; see /api/limits.",
        "速さ、高さ、抑揚、音量、間のどれかが範囲を超えています。範囲は /api/limits にあります。"),
    ROW("background_unknown", 422, "Unknown background", "その背景はありません",
        "Choose keep, blur, color:#rrggbb, preset:ID (see /api/presets/backgrounds), or upload "
        "with a background_image.",
        "keep、blur、color:#rrggbb、preset:ID(/api/presets/backgrounds を参照)、または "
        "background_image を付けた upload を指定してください。"),
    ROW("format_unknown", 422, "Unknown format", "その形はありません",
        "The format is 1:1, 9:16 or 16:9.", "形は 1:1、9:16、16:9 のどれかです。"),
    ROW("bgm_unknown", 422, "Unknown music", "その音楽はありません",
        "There is no music with this name. /api/presets/music lists what there is.",
        "指定された音楽はありません。使えるものは /api/presets/music にあります。"),
    ROW("value_unknown", 422, "Not one of the values", "使えない値です",
        "This field does not take this value. The description of the API lists what it takes.",
        "この項目では使えない値です。使える値は API の説明にあります。"),
    ROW("number_malformed", 422, "Not a number", "数値ではありません", "This field takes a number.",
        "この項目には数値を指定してください。", .show_reason = true),
    ROW("number_out_of_range", 422, "Number out of range", "数値が範囲外です",
        "The number is outside the allowed range; see /api/limits.",
        "数値が範囲を超えています。範囲は /api/limits にあります。", .show_reason = true),
    ROW("motion_unknown", 422, "Unknown motion", "その動きはありません", "Motion is on or off.",
        "動きは on か off です。"),
    ROW("face_unknown", 422, "That face is not there", "その顔は写真にありません",
        "The photo has fewer faces than that. Choose one of those that were found.",
        "写真にその番号の顔はありません。見つかった顔から選んでください。"),
    ROW("picture_format_unknown", 422, "Unknown format", "その形式はありません",
        "The format is png, webp or mask.", "形式は png、webp、mask のどれかです。"),
    ROW("box_malformed", 422, "Not a box", "範囲の形式が正しくありません",
        "The box is x,y,width,height in pixels, such as 120,80,300,400.",
        "範囲は 120,80,300,400 のように、x,y,幅,高さ をピクセルで指定してください。"),
    ROW("point_malformed", 422, "Not a point of the photo", "点の形式が正しくありません",
        "A point is x,y in pixels of the photo, or x,y,0 for who is not meant; several are "
        "separated "
        "by semicolons, up to eight.",
        "点は写真内のピクセルで x,y のように、除きたい人は x,y,0 "
        "のように指定し、複数(8個まで)はセミコロンで区切ってください。"),
    ROW("point_nobody", 422, "There is nobody at the point", "その点に人がいません",
        "Nobody was found where the point is. Choose a point on the person's face or clothes.",
        "指定された点に人が見つかりません。人物の顔や服の上の点を指定してください。"),
    ROW("switch_malformed", 422, "Neither true nor false", "true でも false でもありません",
        "This field is true or false.", "この項目は true か false です。", .show_reason = true),
    ROW("person_unknown", 422, "That person is not there", "その人物は写真にいません",
        "The photo has no person with this number. Choose one of those that were found.",
        "写真にその番号の人物はいません。見つかった人物から選んでください。"),
    ROW("person_ids_malformed", 422, "Not a list of persons", "人物の指定が正しくありません",
        "The persons are a JSON list of their numbers, such as [0] or [0, 2].",
        "人物は [0] や [0, 2] のように、番号の JSON 配列で指定してください。"),
    ROW("preset_unknown", 404, "Unknown preset", "その素材はありません",
        "There is no preset with this name.", "指定された素材はありません。"),

    /* The photo */
    ROW("image_too_large", 413, "The photo is too large", "写真が大きすぎます",
        "A picture may have up to 10 MB. Choose a smaller one.",
        "画像は 10 MB までです。もっと小さいものを選んでください。"),
    ROW("image_empty", 422, "The photo is empty", "写真のファイルが空です",
        "The file has no content. Choose another photo.",
        "ファイルに内容がありません。別の写真を選んでください。"),
    ROW("image_not_a_picture", 415, "Not a picture we can read", "読み込めない画像です",
        "The file is not a picture in a supported format. Choose a JPEG, PNG, WebP or HEIC photo.",
        "対応している形式の画像ではありません。JPEG、PNG、WebP、HEIC の写真を選んでください。"),
    ROW("image_truncated", 422, "The photo is damaged", "写真のファイルが壊れています",
        "Part of the picture is missing or damaged. Choose the photo again, or another one.",
        "画像の一部が欠けているか壊れています。選び直すか、別の写真を選んでください。"),
    ROW("image_too_many_pixels", 413, "The photo has too many pixels", "写真の画素数が多すぎます",
        "A picture may have up to 50 megapixels. Choose a smaller one.",
        "画像は 5,000 万画素までです。もっと小さいものを選んでください。"),
    ROW("image_too_small", 422, "The photo is too small", "写真が小さすぎます",
        "The picture has too few pixels. Choose a larger photo.",
        "画像の画素数が足りません。もっと大きい写真を選んでください。"),
    ROW("image_animated", 422, "The picture is animated", "動く画像は使えません",
        "Choose a still photo instead of an animation.",
        "アニメーションではなく、静止した写真を選んでください。"),
    ROW("image_decoder_died", 422, "The photo could not be read", "写真を読み込めませんでした",
        "The picture broke the program that reads it, which was stopped. Choose another photo.",
        "画像の読み込みに失敗したため停止しました。別の写真を選んでください。"),
    ROW("inference_died", 422, "The photo could not be worked on", "写真を処理できませんでした",
        "Working on this picture broke the program that does it, twice. Choose another photo.",
        "この画像の処理中に問題が続けて起きたため停止しました。別の写真を選んでください。"),
    ROW("image_timeout", 422, "The photo took too long to read",
        "写真の読み込みに時間がかかりすぎました",
        "Reading the picture took too long. Choose a simpler or smaller photo.",
        "画像の読み込みに時間がかかりすぎました。もっと小さい写真を選んでください。"),
    ROW("image_no_face", 422, "No face found", "顔が見つかりません",
        "Choose a photo in which a face can be seen clearly from the front.",
        "正面を向いた顔がはっきり写っている写真を選んでください。"),
    ROW("image_face_too_small", 422, "The face is too small", "顔が小さすぎます",
        "The face is too small in this photo. Choose one taken from nearer.",
        "顔が小さく写っています。もっと近くから撮った写真を選んでください。"),
    ROW("image_face_profile", 422, "The face looks aside", "顔が横を向いています",
        "The face is seen from the side. Choose a photo that looks into the camera.",
        "顔が横を向いています。カメラのほうを向いた写真を選んでください。"),

    /* Jobs and results */
    ROW("job_unknown", 404, "No such message", "その動画は見つかりません",
        "There is no message with this number, or it was removed after its time.",
        "その番号の動画はないか、保存期間が過ぎて削除されました。"),
    ROW("job_finished", 409, "Already finished", "すでに終わっています",
        "The message is finished; there is nothing left to cancel.",
        "すでに終わっているため、取り消せません。"),
    ROW("job_not_done", 409, "Not ready yet", "まだできていません",
        "The video is not finished. Ask again when its status is done.",
        "動画はまだできていません。status が done になってから取得してください。",
        .retry_after_s = 1),
    ROW("job_without_video", 409, "There is no video", "動画はありません",
        "This message was cancelled or failed, so there is no video.",
        "この動画は取り消されたか失敗したため、ありません。"),
    ROW("job_cancelled", 409, "Cancelled", "取り消されました", "The message was cancelled.",
        "動画の作成は取り消されました。"),
    ROW("job_crashed", 500, "The message could not be made", "動画を作成できませんでした",
        "Making this message failed again and again. Try another photo or text.",
        "作成が繰り返し失敗しました。別の写真か文章で試してください。"),
    ROW("video_gone", 410, "The video was removed", "動画は削除されました",
        "The video was kept for its time and then removed. Make it again.",
        "保存期間が過ぎたため削除されました。もう一度作成してください。"),

    /* The service */
    ROW("queue_full", 503, "Too busy", "混み合っています",
        "Many messages are being made right now. Try again in a moment.",
        "現在たくさんの動画を作成しています。少し待ってからもう一度お試しください。",
        .retry_after_s = 10),
    ROW("server_busy", 503, "Too busy", "混み合っています",
        "Too many requests at once. Try again in a moment.",
        "リクエストが集中しています。少し待ってからもう一度お試しください。", .retry_after_s = 2),
    ROW("busy", 503, "Too busy", "混み合っています",
        "Many photos are being read right now. Try again in a moment.",
        "現在たくさんの写真を処理しています。少し待ってからもう一度お試しください。",
        .retry_after_s = 5),
    ROW("image_busy", 503, "Too busy", "混み合っています",
        "Too many photos wait to be looked at. Try again in a moment.",
        "写真の処理待ちが多すぎます。少し待ってからもう一度お試しください。", .retry_after_s = 1),
    ROW("image_out_of_memory", 503, "Not enough memory", "メモリーが足りません",
        "The device has too little memory for this photo right now. Try again in a moment.",
        "現在この写真を処理するためのメモリーが足りません。少し待ってからもう一度お試しください。",
        .retry_after_s = 10),
    ROW("image_service_away", 502, "The image service is away", "画像サービスに接続できません",
        "The image service that IMAGE_SERVICE_URL names cannot be reached. Try again in a moment.",
        "IMAGE_SERVICE_URL の画像サービスに接続できません。少し待ってからもう一度お試しください。",
        .retry_after_s = 5),
    ROW("image_service_failed", 502, "The image service failed", "画像サービスでエラーが起きました",
        "The image service that IMAGE_SERVICE_URL names gave no usable answer.",
        "IMAGE_SERVICE_URL の画像サービスから正しい応答がありませんでした。", .retry_after_s = 5),
    ROW("image_service_slow", 504, "The image service is too slow", "画像サービスが応答しません",
        "The image service that IMAGE_SERVICE_URL names did not answer in time.",
        "IMAGE_SERVICE_URL の画像サービスが時間内に応答しませんでした。", .retry_after_s = 5),
    ROW("shutting_down", 503, "Restarting", "再起動しています",
        "The service is about to restart. Try again in a moment.",
        "サービスを再起動しています。少し待ってからもう一度お試しください。", .retry_after_s = 5),
    ROW("starting", 503, "Starting", "起動しています",
        "The service is still starting. Try again in a moment.",
        "サービスを起動しています。少し待ってからもう一度お試しください。", .retry_after_s = 2),
    ROW("engine_missing", 503, "A part of the service is missing", "サービスの一部が使えません",
        "Something that is needed for this is not installed. The operator finds the reason at "
        "/health and in the log.",
        "必要な機能がインストールされていません。理由は /health とログで確認できます。"),
    ROW("disk_full", 507, "No room left", "保存する場所がありません",
        "The service has no room left to store files. Try again later.",
        "サービスの空き容量が不足しています。しばらくしてからお試しください。",
        .retry_after_s = 60),
    ROW("timeout", 504, "It took too long", "時間がかかりすぎました",
        "Something that is needed did not answer in time. Try again.",
        "必要な処理が時間内に終わりませんでした。もう一度お試しください。", .retry_after_s = 5),
    ROW("unavailable", 503, "Not available now", "現在利用できません",
        "Something that is needed is away. Try again in a moment.",
        "必要なサービスが利用できません。少し待ってからもう一度お試しください。",
        .retry_after_s = 5),
    ROW("internal", 500, "Something went wrong", "問題が発生しました",
        "The fault is ours and was noted. Try again.",
        "サービス側で問題が発生し、記録されました。もう一度お試しください。"),
    ROW("invalid", 422, "Not usable", "この内容では処理できません",
        "The request was understood, but it cannot be done.",
        "内容は読み取れましたが、処理できません。"),
    ROW("conflict", 409, "Conflict", "競合しています",
        "It has changed meanwhile, or exists already.", "すでに存在するか、変更されています。"),
    ROW("denied", 403, "Not allowed", "許可されていません", "This is not allowed.",
        "この操作は許可されていません。"),
    ROW("limit", 429, "Limit reached", "上限に達しました", "A limit was reached. Try again later.",
        "上限に達しました。後でもう一度お試しください。", .retry_after_s = 10),
};

size_t problem_count(void)
{
    return sizeof rows / sizeof *rows;
}

const struct problem_row *problem_at(size_t index)
{
    return &rows[index];
}

const struct problem_row *problem_find(const char *code)
{
    for (size_t i = 0; code && i < problem_count(); i++)
        if (strcmp(rows[i].code, code) == 0)
            return &rows[i];
    return NULL;
}

static const char *code_of_kind(enum error_kind kind)
{
    switch (kind) {
    case ERROR_INVALID:
        return "invalid";
    case ERROR_NOT_FOUND:
        return "not_found";
    case ERROR_CONFLICT:
        return "conflict";
    case ERROR_DENIED:
        return "denied";
    case ERROR_LIMIT:
        return "limit";
    case ERROR_TIMEOUT:
        return "timeout";
    case ERROR_UNAVAILABLE:
        return "unavailable";
    case ERROR_CANCELLED:
        return "job_cancelled";
    case ERROR_INTERNAL:
        break;
    }
    return "internal";
}

const struct problem_row *problem_of(const struct error *err)
{
    const struct problem_row *row = problem_find(err->code);
    return row ? row : problem_find(code_of_kind(err->kind));
}
