// A driver for a decoder in C# that is fed. Replace the class Decoder, then run
//
//     mcs Driver.cs
//     everysplit exec --framing len16 -- mono Driver.exe
//
// or, with .NET, the program that "dotnet build" makes of it.

using System;
using System.Collections.Generic;
using System.IO;

class Decoder
{
    // Example: a length of two bytes, then the body.
    readonly int limit;
    readonly List<byte> buffer = new List<byte>();

    /// Makes a fresh decoder. config has the entries of --config, and max for --size-limit.
    public Decoder(IDictionary<string, string> config)
    {
        limit = config.TryGetValue("max", out string max) ? int.Parse(max) : 65535;
    }

    /// Emits the frames of a chunk, as byte[] or any object with a ToString. Throws for an error.
    public void Feed(byte[] chunk, Action<object> emit)
    {
        buffer.AddRange(chunk);
        while (buffer.Count >= 2)
        {
            int end = 2 + buffer[0] * 256 + buffer[1];
            if (end - 2 > limit) throw new InvalidDataException();
            if (buffer.Count < end) break;
            emit(buffer.GetRange(2, end - 2).ToArray());
            buffer.RemoveRange(0, end);
        }
    }

    /// Emits the frames at the end of the stream. Throws for an error.
    public void Finish(Action<object> emit)
    {
        if (buffer.Count > 0) throw new EndOfStreamException();
    }
}

