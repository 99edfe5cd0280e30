/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/flite_voice.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "voice/chars.h"
#include "voice/flite_internal.h"

/* flite's voices come without headers. */
cst_voice *register_cmu_us_slt(const char *folder);
cst_voice *register_cmu_us_rms(const char *folder);
cst_voice *register_cmu_us_awb(const char *folder);

struct flite *flite_open(void)
{
    flite_init();
    struct flite *flite = xcalloc(1, sizeof *flite);
    pthread_mutex_init(&flite->lock, NULL);
    pthread_mutex_init(&flite->noise, NULL);
    flite->speakers[FLITE_SLT] = register_cmu_us_slt(NULL);
    flite->speakers[FLITE_RMS] = register_cmu_us_rms(NULL);
    flite->speakers[FLITE_AWB] = register_cmu_us_awb(NULL);
    return flite;
}

void flite_close(struct flite *flite)
{
    if (!flite)
        return;
    pthread_mutex_destroy(&flite->noise);
    pthread_mutex_destroy(&flite->lock); /* the voices are flite's, and static */
    free(flite);
}

cst_utterance *flite_utterance(cst_voice *voice, const char *line)
{
    cst_utterance *said = new_utterance();
    utt_set_input_text(said, line);
    utt_init(said, voice);
    return said;
}

/* --- analysis ------------------------------------------------------------------------------- */

static void name_copy(char out[NAME_EN_SIZE], const char *name)
{
    size_t length = strnlen(name, NAME_EN_SIZE - 1);
    memcpy(out, name, length);
    out[length] = '\0';
}

/* The same thing is seen as another item from each relation; what they share tells. */
static bool same(const cst_item *a, const cst_item *b)
{
    return a && b && a->contents == b->contents;
}

struct walk {
    struct utterance_en *out;
    cst_item *syllable, *word, *phrase; /* where the last segment was */
};

static void phrase_enter(struct walk *walk, cst_item *phrase)
{
    struct utterance_en *out = walk->out;
    if (out->phrases > 0 && (!phrase || same(phrase, walk->phrase)))
        return;
    walk->phrase = phrase;
    out->phrase[out->phrases++] = (struct phrase_en){.first = out->words};
}

static void word_enter(struct walk *walk, cst_item *word)
{
    struct utterance_en *out = walk->out;
    if (same(word, walk->word))
        return;
    walk->word = word;
    phrase_enter(walk, item_parent(item_as(word, "Phrase")));
    struct word_en *added = &out->word[out->words++];
    *added = (struct word_en){.first = out->syllables, .phrase = out->phrases - 1};
    name_copy(added->part, ffeature_string(word, "gpos"));
    out->phrase[out->phrases - 1].count++;
}

static void syllable_enter(struct walk *walk, cst_item *syllable)
{
    struct utterance_en *out = walk->out;
    if (same(syllable, walk->syllable))
        return;
    walk->syllable = syllable;
    word_enter(walk, item_parent(syllable));
    struct syllable_en *added = &out->syllable[out->syllables++];
    *added = (struct syllable_en){.first = out->segments, .word = out->words - 1};
    added->stressed = strcmp(ffeature_string(syllable, "stress"), "1") == 0;
    added->accented = strcmp(ffeature_string(syllable, "accented"), "1") == 0;
    name_copy(added->vowel, "novowel");
    const char *tone = ffeature_string(syllable, "endtone");
    name_copy(added->end_tone, strcmp(tone, "0") == 0 ? "NONE" : tone);
    out->word[out->words - 1].count++;
}

static void segment_add(struct walk *walk, cst_item *segment)
{
    struct utterance_en *out = walk->out;
    struct segment_en *added = &out->segment[out->segments];
    cst_item *in_word = item_as(segment, "SylStructure");
    cst_item *syllable = in_word ? item_parent(in_word) : NULL;
    name_copy(added->name, item_feat_string(segment, "name"));
    added->syllable = -1;
    if (syllable && item_parent(syllable)) {
        syllable_enter(walk, syllable);
        added->syllable = out->syllables - 1;
        struct syllable_en *in = &out->syllable[added->syllable];
        in->count++;
        if (strcmp(ffeature_string(segment, "ph_vc"), "+") == 0)
            name_copy(in->vowel, added->name);
    }
    out->segments++;
}

/* The steps before duration, by name: the voices' own list would go on to the sound. */
static cst_utterance *analyse(cst_utterance *said)
{
    said = default_tokenization(said);
    said = default_textanalysis(said);
    said = default_pos_tagger(said);
    said = default_phrasing(said);
    said = default_lexical_insertion(said);
    said = default_pause_insertion(said);
    said = cart_intonation(said);
    const cst_val *postlexical = feat_val(said->features, "postlex_func");
    return postlexical ? val_uttfunc(postlexical)(said) : said;
}

bool flite_analyse(struct flite *flite, const char *line, struct utterance_en *out,
                   struct error *err)
{
    pthread_mutex_lock(&flite->lock);
    cst_utterance *said = analyse(flite_utterance(flite->speakers[FLITE_SLT], line));
    int segments = 0;
    cst_item *segment = relation_head(utt_relation(said, "Segment"));
    for (cst_item *i = segment; i; i = item_next(i))
        segments++;
    utterance_en_init(out, segments);
    struct walk walk = {.out = out};
    for (; segment; segment = item_next(segment))
        segment_add(&walk, segment);
    delete_utterance(said);
    pthread_mutex_unlock(&flite->lock);
    if (out->syllables > 0)
        return true;
    utterance_en_dispose(out);
    return error_set(err, ERROR_INVALID, "nothing to say");
}

/* Phones carry their stress as a last digit: "er1". */
static void phone_add(struct phones_en *phones, const char *name)
{
    size_t length = strlen(name);
    if (phones->count == PHONES_EN_MAX || length == 0)
        return;
    struct phone_en *added = &phones->phone[phones->count];
    bool stress = char_is_digit((unsigned char)name[length - 1]);
    added->stressed = stress && name[length - 1] != '0';
    length -= stress;
    if (length >= sizeof added->name)
        return;
    memcpy(added->name, name, length);
    added->name[length] = '\0';
    phones->count++;
}

bool flite_word(struct flite *flite, const char *word, struct phones_en *out)
{
    *out = (struct phones_en){0};
    pthread_mutex_lock(&flite->lock);
    const cst_features *features = flite->speakers[FLITE_SLT]->features;
    const cst_lexicon *lexicon = val_lexicon(feat_val(features, "lexicon"));
    bool known = in_lex(lexicon, word, NULL, features);
    cst_val *phones = lex_lookup(lexicon, word, NULL, features);
    for (const cst_val *i = phones; i; i = val_cdr(i))
        phone_add(out, val_string(val_car(i)));
    delete_val(phones);
    pthread_mutex_unlock(&flite->lock);
    return known;
}
