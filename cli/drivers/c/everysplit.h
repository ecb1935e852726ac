/* The driver protocol, version 2, for decoders in C99 and C++17. "everysplit protocol" describes it.
 *
 * C:   return everysplit_main(&(everysplit_driver){ .make = make, .feed = feed, .finish = finish });
 * C++: return everysplit::run<Decoder>();
 *
 * "everysplit driver c" and "everysplit driver cpp" print examples. Include this in one file only. */
#ifndef EVERYSPLIT_H
#define EVERYSPLIT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a driver does with its decoder. An error is a static text: its kind. NULL is no error. */
typedef struct everysplit_driver {
    /* Returns a fresh decoder. */
    void *(*make)(void);
    /* Emits the frames of a chunk. */
    const char *(*feed)(void *decoder, const unsigned char *chunk, size_t length);
    /* Emits the frames at the end of the stream. */
    const char *(*finish)(void *decoder);
    /* For a decoder whose caller owns the buffer, instead of feed and finish: emits the next frame,
     * and sets how many bytes of the buffer it takes. Both may be none. */
    const char *(*decode)(void *decoder, const unsigned char *buffer, size_t length, int at_end,
                          size_t *consumed);
    /* Describes all that the decoder's behaviour depends on, with everysplit_state; NULL if that is
     * not known: then only some splits are tried. */
    void (*state)(void *decoder);
    /* Frees a decoder; NULL for free(). */
    void (*release)(void *decoder);
} everysplit_driver;

/* A list of bytes. */
typedef struct everysplit_bytes {
    unsigned char *at;
    size_t length, capacity;
} everysplit_bytes;

static everysplit_bytes everysplit_out, everysplit_description;
static char *everysplit_config_text;
static int everysplit_resynchronises;

static void everysplit_append(everysplit_bytes *to, const void *bytes, size_t length) {
    if (to->length + length > to->capacity) {
        to->capacity = 2 * (to->length + length) + 64;
        to->at = (unsigned char *)realloc(to->at, to->capacity);
        if (!to->at) abort();
    }
    if (length) memcpy(to->at + to->length, bytes, length);
    to->length += length;
}

static void everysplit_put(const char *text) { everysplit_append(&everysplit_out, text, strlen(text)); }

static int everysplit_replies = 1;

static void everysplit_flush(void) {
    size_t done = 0;
    while (done < everysplit_out.length) {
        ssize_t count = write(everysplit_replies, everysplit_out.at + done, everysplit_out.length - done);
        if (count <= 0) exit(1);
        done += (size_t)count;
    }
    everysplit_out.length = 0;
}

/* Whether frames are those of a path that is fed again. */
static int everysplit_is_muted;

static void everysplit_hex(const char *word, const void *bytes, size_t length) {
    if (everysplit_is_muted) return;
    everysplit_put(word);
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = ((const unsigned char *)bytes)[i];
        char digits[2] = {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
        everysplit_append(&everysplit_out, digits, 2);
    }
    everysplit_put("\n");
    if (everysplit_out.length > 1 << 16) everysplit_flush();
}

/* Emits a frame. */
static inline void everysplit_frame(const void *bytes, size_t length) { everysplit_hex("frame ", bytes, length); }

/* Emits a part of a frame, before the rest of it. */
static inline void everysplit_piece(const void *bytes, size_t length) { everysplit_hex("piece ", bytes, length); }

/* Adds bytes to the description of a decoder's state. */
static inline void everysplit_state(const void *bytes, size_t length) {
    everysplit_append(&everysplit_description, &length, sizeof length);
    everysplit_append(&everysplit_description, bytes, length);
}

/* Returns a number of --config, such as "max" of --size-limit, or the other if it is not given. */
static inline long everysplit_config(const char *key, long other) {
    size_t length = strlen(key);
    for (const char *at = everysplit_config_text; at && *at; at = strchr(at, ' ')) {
        at += *at == ' ';
        if (!strncmp(at, key, length) && at[length] == '=') return strtol(at + length + 1, NULL, 10);
    }
    return other;
}

/* A saved decoder: its description, and the inputs of the calls that lead to it. */
typedef struct everysplit_saved {
    everysplit_bytes description, path;
} everysplit_saved;

/* A decoder, the inputs of the calls so far, and its first error: after one, it is not used. */
typedef struct everysplit_run {
    void *decoder;
    everysplit_bytes path;
    const char *failed;
} everysplit_run;

static everysplit_saved *everysplit_states;
static size_t everysplit_count, everysplit_capacity;
/* Indices of states by a hash of their description, plus one. */
static size_t *everysplit_table, everysplit_table_size;

static size_t everysplit_slot(const everysplit_bytes *key) {
    size_t hash = 5381;
    for (size_t i = 0; i < key->length; i++) hash = hash * 33 ^ key->at[i];
    for (;; hash++) {
        size_t slot = hash & (everysplit_table_size - 1), index = everysplit_table[slot];
        if (!index) return slot;
        const everysplit_bytes *other = &everysplit_states[index - 1].description;
        if (other->length == key->length && (!key->length || !memcmp(other->at, key->at, key->length))) return slot;
    }
}

static void everysplit_grow(void) {
    everysplit_capacity = everysplit_capacity ? 2 * everysplit_capacity : 1024;
    everysplit_states = (everysplit_saved *)realloc(everysplit_states, everysplit_capacity * sizeof *everysplit_states);
    free(everysplit_table);
    everysplit_table_size = 4 * everysplit_capacity;
    everysplit_table = (size_t *)calloc(everysplit_table_size, sizeof *everysplit_table);
    if (!everysplit_states || !everysplit_table) abort();
    for (size_t i = 0; i < everysplit_count; i++)
        everysplit_table[everysplit_slot(&everysplit_states[i].description)] = i + 1;
}

/* Writes the name of the state, if it is known. */
static void everysplit_save(const everysplit_driver *driver, everysplit_run *run) {
    if (!driver->state) return;
    everysplit_description.length = 0;
    if (run->failed) everysplit_append(&everysplit_description, run->failed, strlen(run->failed) + 1);
    else driver->state(run->decoder);
    if (everysplit_count == everysplit_capacity) everysplit_grow();
    size_t slot = everysplit_slot(&everysplit_description);
    if (!everysplit_table[slot]) {
        everysplit_saved saved = {{NULL, 0, 0}, {NULL, 0, 0}};
        everysplit_append(&saved.description, everysplit_description.at, everysplit_description.length);
        everysplit_append(&saved.path, run->path.at, run->path.length);
        everysplit_states[everysplit_count++] = saved;
        everysplit_table[slot] = everysplit_count;
    }
    char name[32];
    snprintf(name, sizeof name, " %zu", everysplit_table[slot] - 1);
    everysplit_put(name);
}

static const char *everysplit_call(const everysplit_driver *driver, everysplit_run *run, const unsigned char *input,
                                   size_t length, int at_end, size_t *consumed) {
    *consumed = 0;
    if (run->failed) return run->failed;
    everysplit_append(&run->path, &length, sizeof length);
    everysplit_append(&run->path, input, length);
    /* A copy of exactly this size: a sanitizer finds reads beyond it. */
    unsigned char *copy = (unsigned char *)malloc(length ? length : 1);
    if (!copy) abort();
    if (length) memcpy(copy, input, length);
    const char *error = driver->decode ? driver->decode(run->decoder, copy, length, at_end, consumed)
                        : at_end       ? driver->finish(run->decoder)
                                       : driver->feed(run->decoder, copy, length);
    free(copy);
    if (error && (at_end || !everysplit_resynchronises)) run->failed = error;
    return error;
}

static void everysplit_release(const everysplit_driver *driver, everysplit_run *run) {
    if (run->decoder) (driver->release ? driver->release : free)(run->decoder);
    run->decoder = NULL;
}

/* Makes a decoder, and makes the calls of a path. */
static void everysplit_make(const everysplit_driver *driver, everysplit_run *run, const everysplit_bytes *path) {
    everysplit_release(driver, run);
    run->decoder = driver->make();
    run->path.length = 0;
    run->failed = NULL;
    everysplit_is_muted = 1;
    size_t consumed, length;
    for (size_t at = 0; path && at < path->length; at += sizeof length + length) {
        memcpy(&length, path->at + at, sizeof length);
        everysplit_call(driver, run, path->at + at + sizeof length, length, 0, &consumed);
    }
    everysplit_is_muted = 0;
}

static void everysplit_reply(const everysplit_driver *driver, everysplit_run *run, const unsigned char *input,
                             size_t length, int at_end, int save) {
    size_t consumed;
    const char *error = everysplit_call(driver, run, input, length, at_end, &consumed);
    if (error) {
        everysplit_put(run->failed ? "error " : "reject ");
        everysplit_put(error);
        everysplit_put("\n");
    }
    everysplit_put("ready");
    if (driver->decode) {
        char number[32];
        snprintf(number, sizeof number, " %zu", consumed);
        everysplit_put(number);
    }
    if (save) everysplit_save(driver, run);
    everysplit_put("\n");
}

/* Answers requests until the end of stdin. Returns the exit status. */
static inline int everysplit_main(const everysplit_driver *driver) {
    everysplit_run run = {NULL, {NULL, 0, 0}, NULL};
    everysplit_bytes line = {NULL, 0, 0}, input = {NULL, 0, 0};
    char buffer[1 << 16];
    /* What a decoder prints is no reply. */
    everysplit_replies = dup(1);
    dup2(2, 1);
    for (;;) {
        everysplit_flush();
        ssize_t count = read(0, buffer, sizeof buffer);
        if (count <= 0) {
            everysplit_release(driver, &run);
            free(run.path.at);
            free(line.at);
            free(input.at);
            return 0;
        }
        char *at = buffer, *end = buffer + count;
        while (at < end) {
            char *newline = (char *)memchr(at, '\n', (size_t)(end - at));
            everysplit_append(&line, at, (size_t)((newline ? newline : end) - at));
            if (!newline) break;
            at = newline + 1;
            everysplit_append(&line, "", 1);
            char *word = (char *)line.at, *rest = strchr(word, ' ');
            if (rest) *rest++ = 0;
            else rest = word + strlen(word);
            size_t state = 0;
            int is_row = !strcmp(word, "row");
            if (is_row) {
                state = strtoul(rest, &rest, 10);
                rest += *rest == ' ';
            }
            if (!strcmp(word, "hello")) {
                everysplit_put(driver->decode ? "ready 2 buffer\n" : "ready 2\n");
            } else if (!strcmp(word, "new")) {
                free(everysplit_config_text);
                everysplit_config_text = (char *)malloc(strlen(rest) + 1);
                if (!everysplit_config_text) abort();
                strcpy(everysplit_config_text, rest);
                everysplit_resynchronises = strstr(rest, "resynchronises=") != NULL;
                everysplit_make(driver, &run, NULL);
                everysplit_put("ready");
                everysplit_save(driver, &run);
                everysplit_put("\n");
            } else if (is_row || !strcmp(word, "feed") || !strcmp(word, "decode") || !strcmp(word, "finish")) {
                input.length = 0;
                for (unsigned byte; sscanf(rest, "%2x", &byte) == 1; rest += 2) {
                    unsigned char one = (unsigned char)byte;
                    everysplit_append(&input, &one, 1);
                }
                if (!is_row) everysplit_reply(driver, &run, input.at, input.length, *word == 'f' && word[1] == 'i', 0);
                for (size_t length = 0; is_row && length <= input.length && state < everysplit_count; length++) {
                    everysplit_bytes path = everysplit_states[state].path;
                    everysplit_make(driver, &run, &path);
                    everysplit_reply(driver, &run, input.at, length, 0, 1);
                    if (length % 64 == 63) everysplit_flush();
                }
            } else {
                fprintf(stderr, "unknown request: %s\n", word);
                return 1;
            }
            line.length = 0;
        }
    }
}

#ifdef __cplusplus
#include <exception>
#include <string>
#include <type_traits>
#include <vector>

namespace everysplit {

/* Emits a frame, or a part of one. */
inline void frame(const std::string &bytes) { everysplit_frame(bytes.data(), bytes.size()); }
inline void frame(const std::vector<unsigned char> &bytes) { everysplit_frame(bytes.data(), bytes.size()); }
inline void piece(const std::string &bytes) { everysplit_piece(bytes.data(), bytes.size()); }

/* A decoder that can be compared. Its state is the index among all that differ. */
template <class Decoder, class = void> struct Compared {
    static constexpr void (*state)(void *) = nullptr;
};

template <class Decoder>
struct Compared<Decoder, std::void_t<decltype(std::declval<const Decoder &>() == std::declval<const Decoder &>()),
                                     std::enable_if_t<std::is_copy_constructible_v<Decoder>>>> {
    static void state(void *decoder) {
        static std::vector<Decoder> known;
        const Decoder &wanted = *static_cast<Decoder *>(decoder);
        size_t index = 0;
        while (index < known.size() && !(known[index] == wanted)) index++;
        if (index == known.size()) known.push_back(wanted);
        everysplit_state(&index, sizeof index);
    }
};

/* Calls a decoder. Returns the kind of its exception. */
template <class Call> const char *guard(Call call) {
    static std::vector<std::string *> kinds;
    std::string kind;
    try {
        call();
        return nullptr;
    } catch (const std::exception &error) {
        kind = error.what();
    } catch (...) {
        kind = "exception";
    }
    for (std::string *known : kinds)
        if (*known == kind) return known->c_str();
    kinds.push_back(new std::string(kind));
    return kinds.back()->c_str();
}

/* Runs a driver for a class with a constructor without arguments, feed(chunk, length) and finish(). */
template <class Decoder> int run() {
    everysplit_driver driver = {};
    driver.make = [] { return static_cast<void *>(new Decoder()); };
    driver.feed = [](void *decoder, const unsigned char *chunk, size_t length) {
        return guard([&] { static_cast<Decoder *>(decoder)->feed(chunk, length); });
    };
    driver.finish = [](void *decoder) { return guard([&] { static_cast<Decoder *>(decoder)->finish(); }); };
    driver.state = Compared<Decoder>::state;
    driver.release = [](void *decoder) { delete static_cast<Decoder *>(decoder); };
    return everysplit_main(&driver);
}

} // namespace everysplit
#endif
#endif
