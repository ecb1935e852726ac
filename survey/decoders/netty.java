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
    static void addTo(ChannelPipeline pipeline, Map<String, String> config) {
        int max = Integer.parseInt(config.getOrDefault("max", "65537"));
        pipeline.addLast(new LengthFieldBasedFrameDecoder(max, 0, 2, 0, 2));
    }
}

