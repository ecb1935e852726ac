// A driver for a decoder in Java that reads from an InputStream. Replace the method read, then run
//
//     javac Driver.java
//     everysplit exec --framing len16 -- java -XX:TieredStopAtLevel=1 Driver

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.SynchronousQueue;
import java.util.function.Consumer;

class Reading {
    /**
     * Reads frames until the stream ends, and emits each, as byte[] or any object with a toString.
     * Throws for an error. config has the entries of --config, and max for --size-limit.
     */
    static void read(InputStream in, Map<String, String> config, Consumer<Object> emit) throws Exception {
        // Example: a length of two bytes, then the body.
        DataInputStream data = new DataInputStream(in);
        for (int first = data.read(); first >= 0; first = data.read()) {
            byte[] body = new byte[first * 256 + data.readUnsignedByte()];
            data.readFully(body);
            emit.accept(body);
        }
    }
}

// ---- Nothing below needs a change. ----

/** Runs the reader in a thread, and waits until it needs bytes. */
class Decoder {
    private static final byte[] END = {};
    private static Decoder last;

    private final SynchronousQueue<byte[]> chunks = new SynchronousQueue<>();
    private final SynchronousQueue<Boolean> waits = new SynchronousQueue<>();
    private final List<Object> emitted = new ArrayList<>();
    private final Thread thread;
    private volatile Exception error;
    private boolean ended;

    Decoder(Map<String, String> config) throws Exception {
        // Only the last decoder is used.
        if (last != null) last.thread.interrupt();
        last = this;
        thread = new Thread(() -> {
            try {
                Reading.read(new Chunks(), config, emitted::add);
            } catch (Exception thrown) {
                error = thrown;
            }
            try {
                waits.put(true);
            } catch (InterruptedException replaced) {
                return;
            }
        });
        thread.setDaemon(true);
        thread.start();
        ended = waits.take();
    }

    void feed(byte[] chunk, Consumer<Object> emit) throws Exception {
        if (chunk.length > 0 && !ended) give(chunk);
        emits(emit);
        if (ended) throw new IOException("stopped reading");
    }

    void finish(Consumer<Object> emit) throws Exception {
        if (!ended) give(END);
        emits(emit);
    }

    Object state() {
        return this;
    }

    private void give(byte[] chunk) throws Exception {
        chunks.put(chunk);
        ended = waits.take();
    }

    private void emits(Consumer<Object> emit) throws Exception {
        emitted.forEach(emit);
        emitted.clear();
        if (error != null) throw error;
    }

    private class Chunks extends InputStream {
        private byte[] rest = {};
        private int at;
        private boolean isAtEnd;

        private boolean fill() throws IOException {
            try {
                if (at == rest.length && !isAtEnd) {
                    waits.put(false);
                    rest = chunks.take();
                    at = 0;
                    isAtEnd = rest == END;
                }
            } catch (InterruptedException replaced) {
                throw new IOException(replaced);
            }
            return at < rest.length;
        }

        @Override
        public int read() throws IOException {
            return fill() ? rest[at++] & 0xff : -1;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            if (length == 0) return 0;
            if (!fill()) return -1;
            int count = Math.min(length, rest.length - at);
            System.arraycopy(rest, at, bytes, offset, count);
            at += count;
            return count;
        }

        @Override
        public int available() {
            return rest.length - at;
        }
    }
}
