/* A driver for a decoder in C whose caller owns the buffer. Replace the functions, then run
 *
 *     everysplit driver c-header > everysplit.h
 *     cc -g -fsanitize=address,undefined -o driver driver.c
 *     everysplit exec --framing len16 -- ./driver
 */
#include "everysplit.h"

/* Returns a fresh decoder. everysplit_config has the numbers of --config. */
static void *make(void) {
    size_t *limit = malloc(sizeof *limit);
    *limit = (size_t)everysplit_config("max", 65535);
    return limit;
}

/* Emits the next frame, and sets how many bytes of the buffer it takes: nothing if it needs more
 * bytes. at_end is true if no more will come. Returns the kind of an error, or NULL. */
static const char *decode(void *limit, const unsigned char *buffer, size_t length, int at_end,
                          size_t *consumed) {
    /* Example: a length of two bytes, then the body. */
    size_t end = length < 2 ? 2 : 2 + buffer[0] * 256u + buffer[1];
    if (end - 2 > *(size_t *)limit) return "too long";
    if (length >= end) everysplit_frame(buffer + 2, end - 2), *consumed = end;
    else if (at_end && length) return "truncated";
    return NULL;
}

/* Describes all that its behaviour depends on, besides the configuration: nothing. */
static void state(void *limit) { (void)limit; }

int main(void) {
    everysplit_driver driver = {.make = make, .decode = decode, .state = state};
    return everysplit_main(&driver);
}
