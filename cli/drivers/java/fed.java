// A driver for a decoder in Java that is fed. Replace the class Decoder, then run
//
//     javac Driver.java
//     everysplit exec --framing len16 -- java -XX:TieredStopAtLevel=1 Driver

import java.io.EOFException;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Consumer;

class Decoder {
    // Example: a length of two bytes, then the body.
    private final int limit;
    private byte[] buffer = {};

    /** Makes a fresh decoder. config has the entries of --config, and max for --size-limit. */
    Decoder(Map<String, String> config) {
        limit = Integer.parseInt(config.getOrDefault("max", "65535"));
    }

    /** Emits the frames of a chunk, as byte[] or any object with a toString. Throws for an error. */
    void feed(byte[] chunk, Consumer<Object> emit) throws Exception {
        int old = buffer.length;
        buffer = Arrays.copyOf(buffer, old + chunk.length);
        System.arraycopy(chunk, 0, buffer, old, chunk.length);
        while (buffer.length >= 2) {
            int end = 2 + (buffer[0] & 0xff) * 256 + (buffer[1] & 0xff);
            if (end - 2 > limit) throw new IOException("too long");
            if (buffer.length < end) break;
            emit.accept(Arrays.copyOfRange(buffer, 2, end));
            buffer = Arrays.copyOfRange(buffer, end, buffer.length);
        }
    }

    /** Emits the frames at the end of the stream. Throws for an error. */
    void finish(Consumer<Object> emit) throws Exception {
        if (buffer.length > 0) throw new EOFException();
    }

    /** Returns what the decoder's behaviour depends on: usually all that is in it. */
    Object state() {
        return this;
    }
}
