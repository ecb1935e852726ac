// A driver for a decoder in C++. Replace the class, then run
//
//     everysplit driver c-header > everysplit.h
//     c++ -std=c++17 -g -fsanitize=address,undefined -o driver driver.cpp
//     everysplit exec --framing len16 -- ./driver
#include "everysplit.h"

#include <stdexcept>
#include <string>

// Example: a length of two bytes, then the body. With a copy constructor and ==, all splits are
// proved.
class Decoder {
    std::string buffer;
    size_t limit = everysplit_config("max", 65535); // The numbers of --config.

  public:
    // Emits the frames of a chunk. Throws for an error.
    void feed(const unsigned char *chunk, size_t length) {
        buffer.append(reinterpret_cast<const char *>(chunk), length);
        while (buffer.size() >= 2) {
            size_t end = 2 + static_cast<unsigned char>(buffer[0]) * 256u + static_cast<unsigned char>(buffer[1]);
            if (end - 2 > limit) throw std::length_error("too long");
            if (buffer.size() < end) break;
            everysplit::frame(buffer.substr(2, end - 2));
            buffer.erase(0, end);
        }
    }

    // Emits the frames at the end of the stream. Throws for an error.
    void finish() {
        if (!buffer.empty()) throw std::runtime_error("truncated");
    }

    bool operator==(const Decoder &other) const { return buffer == other.buffer && limit == other.limit; }
};

int main() { return everysplit::run<Decoder>(); }
