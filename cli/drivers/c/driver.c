/* A driver for a decoder in C. Replace the decoder and the functions, then run
 *
 *     everysplit driver c-header > everysplit.h
 *     cc -g -fsanitize=address,undefined -o driver driver.c
 *     everysplit exec --framing len16 -- ./driver
 */
#include "everysplit.h"

/* Example: a length of two bytes, then the body. */
typedef struct {
    unsigned char *buffer;
    size_t length, limit;
} decoder;

/* Returns a fresh decoder. everysplit_config has the numbers of --config. */
static void *make(void) {
    decoder *d = calloc(1, sizeof *d);
    d->limit = (size_t)everysplit_config("max", 65535);
    return d;
}

/* Emits the frames of a chunk. Returns the kind of an error, or NULL. */
static const char *feed(void *p, const unsigned char *chunk, size_t length) {
    decoder *d = p;
    d->buffer = realloc(d->buffer, d->length + length + 1);
    memcpy(d->buffer + d->length, chunk, length);
    d->length += length;
    while (d->length >= 2) {
        size_t end = 2 + d->buffer[0] * 256u + d->buffer[1];
        if (end - 2 > d->limit) return "too long";
        if (d->length < end) break;
        everysplit_frame(d->buffer + 2, end - 2);
        memmove(d->buffer, d->buffer + end, d->length -= end);
    }
    return NULL;
}

/* Emits the frames at the end of the stream. */
static const char *finish(void *p) { return ((decoder *)p)->length ? "truncated" : NULL; }

/* Describes all that its behaviour depends on. Leave it out if that is not known. */
static void state(void *p) { everysplit_state(((decoder *)p)->buffer, ((decoder *)p)->length); }

static void release(void *p) {
    free(((decoder *)p)->buffer);
    free(p);
}

int main(void) {
    everysplit_driver driver = {
        .make = make, .feed = feed, .finish = finish, .state = state, .release = release};
    return everysplit_main(&driver);
}
