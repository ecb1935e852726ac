// A driver for decoders of Netty. Replace the method addTo, then run
//
//     javac -cp netty-all.jar Driver.java
//     everysplit exec --framing len16 -- java -XX:TieredStopAtLevel=1 -cp netty-all.jar:. Driver

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

class Handlers {
    /**
     * Adds fresh handlers. A frame is what they pass on: a ByteBuf, or any object with a toString.
     * An exception is an error. config has the entries of --config, and max for --size-limit.
     */
    static void addTo(ChannelPipeline pipeline, Map<String, String> config) {
        // Example: a length of two bytes, then the body. Its limit counts the length too.
        int max = Integer.parseInt(config.getOrDefault("max", "65537"));
        pipeline.addLast(new LengthFieldBasedFrameDecoder(max, 0, 2, 0, 2));
    }
}

// ---- Nothing below needs a change. ----

class Decoder {
    private final EmbeddedChannel channel = new EmbeddedChannel();

    Decoder(Map<String, String> config) {
        Handlers.addTo(channel.pipeline(), config);
    }

    void feed(byte[] chunk, Consumer<Object> emit) {
        emits(() -> channel.writeInbound(Unpooled.copiedBuffer(chunk)), emit);
    }

    void finish(Consumer<Object> emit) {
        emits(channel::finish, emit);
    }

    private void emits(Runnable call, Consumer<Object> emit) {
        try {
            call.run();
        } finally {
            for (Object frame = channel.readInbound(); frame != null; frame = channel.readInbound()) {
                emit.accept(contents(frame));
            }
        }
    }

    Object state() {
        Driver.contents = Decoder::contents;
        List<ChannelHandler> handlers = new ArrayList<>();
        channel.pipeline().forEach(entry -> handlers.add(entry.getValue()));
        return handlers;
    }

    private static Object contents(Object value) {
        return value instanceof ByteBuf ? ByteBufUtil.getBytes((ByteBuf) value) : value;
    }
}
