
// ---- The protocol, version 2. "everysplit protocol" describes it. Nothing below needs a change. ----

/** A part of a frame, to be emitted before the rest of it. */
class Piece {
    final byte[] content;

    Piece(byte[] content) {
        this.content = content;
    }
}

/** A decoder, the calls so far, and its first error. After an error, it is no longer used. */
class Run {
    final Decoder decoder;
    final java.util.List<byte[]> path;
    String failed;

    Run(java.util.List<byte[]> path) throws Exception {
        decoder = new Decoder(Driver.config);
        this.path = path;
        for (byte[] input : path) call(input, false, frame -> {});
    }

    /** Calls the decoder. Returns the kind of the error, or null. */
    String call(byte[] input, boolean atEnd, java.util.function.Consumer<Object> emit) {
        if (failed != null) return failed;
        try {
            if (atEnd) decoder.finish(emit);
            else decoder.feed(input, emit);
            return null;
        } catch (Exception thrown) {
            String kind = thrown.getClass().getSimpleName();
            if (atEnd || !Driver.resynchronises) failed = kind;
            return kind;
        }
    }

    void reply(byte[] input, boolean atEnd, boolean save) {
        StringBuilder out = Driver.out;
        String kind = call(input, atEnd, frame -> {
            boolean isPiece = frame instanceof Piece;
            out.append(isPiece ? "piece " : "frame ");
            Driver.text(isPiece ? ((Piece) frame).content : frame);
            out.append('\n');
            if (out.length() > 1 << 16) Driver.flush();
        });
        if (kind != null) out.append(failed == null ? "reject " : "error ").append(kind).append('\n');
        out.append("ready");
        if (save) save(input, out);
        out.append('\n');
    }

    /** Appends the name of the state after a call, with a space before it; nothing if it cannot be read. */
    void save(byte[] input, StringBuilder to) {
        String state;
        try {
            state = failed != null ? failed : Driver.describe(decoder.state());
        } catch (ReflectiveOperationException | RuntimeException hidden) {
            return;
        }
        Integer index = Driver.indices.putIfAbsent(state, Driver.paths.size());
        if (index == null) {
            index = Driver.paths.size();
            java.util.List<byte[]> longer = new java.util.ArrayList<>(path);
            if (input != null) longer.add(input);
            Driver.paths.add(longer);
        }
        to.append(' ').append(index.intValue());
    }
}

public class Driver {
    static java.util.Map<String, String> config;
    static boolean resynchronises;
    /** The paths to saved decoders, and the index of each by its description. */
    static final java.util.List<java.util.List<byte[]>> paths = new java.util.ArrayList<>();
    static final java.util.Map<String, Integer> indices = new java.util.HashMap<>();
    static final StringBuilder out = new StringBuilder();
    /** Replaces an object before it is described. */
    static java.util.function.UnaryOperator<Object> contents = value -> value;
    private static final java.io.PrintStream replies = System.out;
    private static final byte[] DIGITS = "0123456789abcdef".getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
    private static final java.util.Map<Class<?>, java.util.List<java.lang.reflect.Field>> fields = new java.util.HashMap<>();

    static void text(Object frame) {
        if (frame instanceof byte[]) {
            byte[] bytes = (byte[]) frame;
            byte[] hex = new byte[2 * bytes.length];
            for (int i = 0; i < bytes.length; i++) {
                hex[2 * i] = DIGITS[bytes[i] >> 4 & 15];
                hex[2 * i + 1] = DIGITS[bytes[i] & 15];
            }
            out.append(new String(hex, java.nio.charset.StandardCharsets.ISO_8859_1));
        } else {
            out.append(String.valueOf(frame).replace("\r", "\\r").replace("\n", "\\n"));
        }
    }

    static byte[] bytes(String hex) {
        byte[] bytes = new byte[hex.length() / 2];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (Character.digit(hex.charAt(2 * i), 16) << 4 | Character.digit(hex.charAt(2 * i + 1), 16));
        }
        return bytes;
    }

    /** Returns a text that is the same for two values only if they are in the same state. */
    static String describe(Object state) throws ReflectiveOperationException {
        StringBuilder text = new StringBuilder();
        describe(state, text, new java.util.IdentityHashMap<>());
        return text.toString();
    }

    private static void describe(Object value, StringBuilder to, java.util.Map<Object, Integer> seen) throws ReflectiveOperationException {
        value = contents.apply(value);
        if (value == null || value instanceof Boolean || value instanceof Number || value instanceof Character || value instanceof Enum || value instanceof Class || value instanceof java.nio.charset.Charset || value instanceof java.nio.ByteOrder) {
            to.append(value).append(';');
            return;
        }
        if (value instanceof CharSequence) {
            to.append(((CharSequence) value).length()).append(':').append(value);
            return;
        }
        if (value instanceof byte[]) {
            to.append(((byte[]) value).length).append(':').append(new String((byte[]) value, java.nio.charset.StandardCharsets.ISO_8859_1));
            return;
        }
        Integer known = seen.putIfAbsent(value, seen.size());
        if (known != null) {
            to.append('#').append(known).append(';');
            return;
        }
        Class<?> type = value.getClass();
        to.append(type.getName()).append('{');
        if (value instanceof java.io.ByteArrayOutputStream) {
            describe(((java.io.ByteArrayOutputStream) value).toByteArray(), to, seen);
        } else if (value instanceof java.nio.ByteBuffer) {
            java.nio.ByteBuffer buffer = ((java.nio.ByteBuffer) value).duplicate();
            to.append(buffer.position()).append(',').append(buffer.limit()).append(',').append(((java.nio.ByteBuffer) value).order()).append(',');
            buffer.clear();
            byte[] all = new byte[buffer.remaining()];
            buffer.get(all);
            describe(all, to, seen);
        } else if (type.isArray()) {
            for (int i = 0; i < java.lang.reflect.Array.getLength(value); i++) describe(java.lang.reflect.Array.get(value, i), to, seen);
        } else if (value instanceof java.util.Map) {
            for (java.util.Map.Entry<?, ?> entry : ((java.util.Map<?, ?>) value).entrySet()) {
                describe(entry.getKey(), to, seen);
                describe(entry.getValue(), to, seen);
            }
        } else if (value instanceof java.util.Collection) {
            for (Object element : (java.util.Collection<?>) value) describe(element, to, seen);
        } else {
            // A field of the runtime itself that cannot be read is hidden state.
            for (java.lang.reflect.Field field : fieldsOf(type)) describe(field.get(value), to, seen);
        }
        to.append('}');
    }

    private static java.util.List<java.lang.reflect.Field> fieldsOf(Class<?> type) {
        java.util.List<java.lang.reflect.Field> known = fields.get(type);
        if (known != null) return known;
        known = new java.util.ArrayList<>();
        for (Class<?> each = type; each != null; each = each.getSuperclass()) {
            for (java.lang.reflect.Field field : each.getDeclaredFields()) {
                if (java.lang.reflect.Modifier.isStatic(field.getModifiers())) continue;
                field.setAccessible(true);
                known.add(field);
            }
        }
        fields.put(type, known);
        return known;
    }

    static void flush() {
        byte[] bytes = out.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8);
        replies.write(bytes, 0, bytes.length);
        replies.flush();
        out.setLength(0);
    }

    public static void main(String[] arguments) throws Exception {
        System.setOut(System.err); // What a decoder prints is no reply.
        java.io.BufferedReader in = new java.io.BufferedReader(new java.io.InputStreamReader(System.in, java.nio.charset.StandardCharsets.UTF_8), 1 << 16);
        Run run = null;
        for (String request = in.readLine(); request != null; request = in.readLine()) {
            String[] words = request.split(" ");
            switch (words[0]) {
                case "hello":
                    out.append("ready 2\n");
                    break;
                case "new":
                    config = new java.util.HashMap<>();
                    for (int i = 1; i < words.length; i++) {
                        int end = words[i].indexOf('=');
                        config.put(words[i].substring(0, end), words[i].substring(end + 1));
                    }
                    resynchronises = config.containsKey("resynchronises");
                    run = new Run(java.util.List.of());
                    out.append("ready");
                    run.save(null, out);
                    out.append('\n');
                    break;
                case "feed":
                case "finish":
                    run.reply(bytes(words.length > 1 ? words[1] : ""), words[0].equals("finish"), false);
                    break;
                case "row":
                    java.util.List<byte[]> path = paths.get(Integer.parseInt(words[1]));
                    byte[] input = bytes(words.length > 2 ? words[2] : "");
                    for (int length = 0; length <= input.length; length++) {
                        run = new Run(path);
                        run.reply(java.util.Arrays.copyOf(input, length), false, true);
                        if (length % 64 == 63) flush();
                    }
                    break;
                default:
                    throw new IllegalArgumentException("unknown request: " + request);
            }
            if (!in.ready()) flush();
        }
        flush();
    }
}
