/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/utterance_en.h"

#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/mem.h"

enum { LABEL_LIMIT = 1024 };

void utterance_en_init(struct utterance_en *utterance, int segments)
{
    size_t room = (size_t)segments + 1;
    *utterance = (struct utterance_en){0};
    utterance->segment = xcalloc(room, sizeof *utterance->segment);
    utterance->syllable = xcalloc(room, sizeof *utterance->syllable);
    utterance->word = xcalloc(room, sizeof *utterance->word);
    utterance->phrase = xcalloc(room, sizeof *utterance->phrase);
}

void utterance_en_dispose(struct utterance_en *utterance)
{
    free(utterance->segment);
    free(utterance->syllable);
    free(utterance->word);
    free(utterance->phrase);
    *utterance = (struct utterance_en){0};
}

static bool content(const struct utterance_en *u, int word)
{
    return strcmp(u->word[word].part, "content") == 0;
}

static int phrase_syllables(const struct utterance_en *u, int phrase)
{
    int count = 0;
    for (int i = 0; i < u->phrase[phrase].count; i++)
        count += u->word[u->phrase[phrase].first + i].count;
    return count;
}

static int phrase_first_syllable(const struct utterance_en *u, int phrase)
{
    return u->word[u->phrase[phrase].first].first;
}

/* Counts syllables in [from, to) that are stressed, or accented. */
static int prominent(const struct utterance_en *u, int from, int to, bool accented)
{
    int count = 0;
    for (int i = from; i < to; i++)
        count += accented ? u->syllable[i].accented : u->syllable[i].stressed;
    return count;
}

/* How many syllables away the next prominent one is in direction `step`; 0 when there is none. */
static int distance(const struct utterance_en *u, int syllable, int step, bool accented)
{
    for (int i = syllable + step; i >= 0 && i < u->syllables; i += step)
        if (accented ? u->syllable[i].accented : u->syllable[i].stressed)
            return step * (i - syllable);
    return 0;
}

static int content_words(const struct utterance_en *u, int from, int to)
{
    int count = 0;
    for (int i = from; i < to; i++)
        count += content(u, i);
    return count;
}

static int content_distance(const struct utterance_en *u, int word, int step)
{
    for (int i = word + step; i >= 0 && i < u->words; i += step)
        if (content(u, i))
            return step * (i - word);
    return 0;
}

/* What a label says: always fits, since every part is short. */
#define SAY(...) ((void)!buf_printf(out, NULL, __VA_ARGS__))

static const char *name_at(const struct utterance_en *u, int segment)
{
    return segment >= 0 && segment < u->segments ? u->segment[segment].name : "x";
}

static void say_neighbour_syllable(const struct utterance_en *u, int syllable, char mark,
                                   char between, struct buf *out)
{
    if (syllable < 0 || syllable >= u->syllables) {
        SAY("/%c:0%c0%c0", mark, between, between);
        return;
    }
    const struct syllable_en *s = &u->syllable[syllable];
    SAY("/%c:%d%c%d%c%d", mark, s->stressed, between, s->accented, between, s->count);
}

static void say_neighbour_word(const struct utterance_en *u, int word, char mark, struct buf *out)
{
    if (word < 0 || word >= u->words)
        SAY("/%c:0_0", mark);
    else
        SAY("/%c:%s_%d", mark, u->word[word].part, u->word[word].count);
}

static void say_neighbour_phrase(const struct utterance_en *u, int phrase, char mark, char between,
                                 struct buf *out)
{
    if (phrase < 0 || phrase >= u->phrases)
        SAY("/%c:0%c0", mark, between);
    else
        SAY("/%c:%d%c%d", mark, phrase_syllables(u, phrase), between, u->phrase[phrase].count);
}

static void say_syllable(const struct utterance_en *u, int syllable, struct buf *out)
{
    const struct syllable_en *s = &u->syllable[syllable];
    const struct word_en *word = &u->word[s->word];
    int first = phrase_first_syllable(u, word->phrase);
    int end = first + phrase_syllables(u, word->phrase);
    SAY("/B:%d-%d-%d@%d-%d&%d-%d", s->stressed, s->accented, s->count, syllable - word->first + 1,
        word->first + word->count - syllable, syllable - first + 1, end - syllable);
    SAY("#%d-%d$%d-%d", prominent(u, first, syllable, false),
        prominent(u, syllable + 1, end, false), prominent(u, first, syllable, true),
        prominent(u, syllable + 1, end, true));
    SAY("!%d-%d;%d-%d|%s", distance(u, syllable, -1, false), distance(u, syllable, 1, false),
        distance(u, syllable, -1, true), distance(u, syllable, 1, true), s->vowel);
}

static void say_word(const struct utterance_en *u, int word, struct buf *out)
{
    const struct word_en *w = &u->word[word];
    const struct phrase_en *phrase = &u->phrase[w->phrase];
    int end = phrase->first + phrase->count;
    SAY("/E:%s+%d@%d+%d&%d+%d#%d+%d", w->part, w->count, word - phrase->first + 1, end - word,
        content_words(u, phrase->first, word), content_words(u, word + 1, end),
        content_distance(u, word, -1), content_distance(u, word, 1));
}

static void say_phrase(const struct utterance_en *u, int phrase, struct buf *out)
{
    int last = phrase_first_syllable(u, phrase) + phrase_syllables(u, phrase) - 1;
    SAY("/H:%d=%d@%d=%d|%s", phrase_syllables(u, phrase), u->phrase[phrase].count, phrase + 1,
        u->phrases - phrase, u->syllable[last].end_tone);
}

static void say_spoken(const struct utterance_en *u, int segment, struct buf *out)
{
    int syllable = u->segment[segment].syllable;
    const struct syllable_en *s = &u->syllable[syllable];
    int word = s->word, phrase = u->word[word].phrase;
    SAY("@%d_%d", segment - s->first + 1, s->first + s->count - segment);
    say_neighbour_syllable(u, syllable - 1, 'A', '_', out);
    say_syllable(u, syllable, out);
    say_neighbour_syllable(u, syllable + 1, 'C', '+', out);
    say_neighbour_word(u, word - 1, 'D', out);
    say_word(u, word, out);
    say_neighbour_word(u, word + 1, 'F', out);
    say_neighbour_phrase(u, phrase - 1, 'G', '_', out);
    say_phrase(u, phrase, out);
    say_neighbour_phrase(u, phrase + 1, 'I', '=', out);
}

static int syllable_near(const struct utterance_en *u, int segment)
{
    return segment >= 0 && segment < u->segments ? u->segment[segment].syllable : -1;
}

static void say_pause(const struct utterance_en *u, int segment, struct buf *out)
{
    int before = syllable_near(u, segment - 1), after = syllable_near(u, segment + 1);
    int word_before = before < 0 ? -1 : u->syllable[before].word;
    int word_after = after < 0 ? -1 : u->syllable[after].word;
    SAY("@x_x");
    say_neighbour_syllable(u, before, 'A', '_', out);
    SAY("/B:x-x-x@x-x&x-x#x-x$x-x!x-x;x-x|x");
    say_neighbour_syllable(u, after, 'C', '+', out);
    say_neighbour_word(u, word_before, 'D', out);
    SAY("/E:x+x@x+x&x+x#x+x");
    say_neighbour_word(u, word_after, 'F', out);
    say_neighbour_phrase(u, word_before < 0 ? -1 : u->word[word_before].phrase, 'G', '_', out);
    SAY("/H:x=x@x=x|0");
    say_neighbour_phrase(u, word_after < 0 ? -1 : u->word[word_after].phrase, 'I', '=', out);
}

void utterance_en_labels(const struct utterance_en *u, struct labels *labels)
{
    labels_reserve(labels, (size_t)u->segments);
    for (int i = 0; i < u->segments; i++) {
        struct buf line = BUF(LABEL_LIMIT), *out = &line;
        SAY("%s^%s-%s+%s=%s", name_at(u, i - 2), name_at(u, i - 1), name_at(u, i),
            name_at(u, i + 1), name_at(u, i + 2));
        if (u->segment[i].syllable < 0)
            say_pause(u, i, out);
        else
            say_spoken(u, i, out);
        SAY("/J:%d+%d-%d", u->syllables, u->words, u->phrases);
        labels->lines[labels->count++] = buf_take(out);
    }
}

bool label_en_stressed(const char *label)
{
    const char *syllable = strstr(label, "/B:");
    return syllable && syllable[3] == '1';
}
