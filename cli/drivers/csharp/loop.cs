// ---- The protocol, version 2. "everysplit protocol" describes it. Nothing below needs a change. ----

/// A part of a frame, to be emitted before the rest of it.
class Piece
{
    public readonly byte[] Content;

    public Piece(byte[] content)
    {
        Content = content;
    }
}

/// A decoder, the calls so far, and its first error. After an error, it is no longer used.
class Run
{
    readonly Decoder decoder = new Decoder(Driver.Config);
    System.Collections.Generic.List<byte[]> path;
    string failed;

    public Run(System.Collections.Generic.List<byte[]> path)
    {
        this.path = path;
        foreach (byte[] input in path) Call(input, false, frame => { });
    }

    /// Calls the decoder. Returns the kind of the error, or null.
    string Call(byte[] input, bool atEnd, System.Action<object> emit)
    {
        if (failed != null) return failed;
        try
        {
            if (atEnd) decoder.Finish(emit);
            else decoder.Feed(input, emit);
            return null;
        }
        catch (System.Exception thrown)
        {
            string kind = thrown.GetType().Name;
            if (atEnd || !Driver.Resynchronises) failed = kind;
            return kind;
        }
    }

    public void Reply(byte[] input, bool atEnd, bool save)
    {
        System.Text.StringBuilder to = Driver.Out;
        string kind = Call(input, atEnd, frame =>
        {
            Piece piece = frame as Piece;
            to.Append(piece != null ? "piece " : "frame ");
            Driver.Text(piece != null ? piece.Content : frame);
            to.Append('\n');
            if (to.Length > 1 << 16) Driver.Flush();
        });
        if (kind != null) to.Append(failed == null ? "reject " : "error ").Append(kind).Append('\n');
        to.Append("ready");
        if (save)
        {
            path = new System.Collections.Generic.List<byte[]>(path) { input };
            Save();
        }
        to.Append('\n');
    }

    /// Writes the name of the state, with a space before it; nothing if it cannot be read.
    public void Save()
    {
        var description = new System.Text.StringBuilder();
        try
        {
            if (failed == null) State.Describe(decoder, description, new System.Collections.Generic.Dictionary<object, int>(new State.ByReference()));
        }
        catch (System.NotSupportedException)
        {
            return;
        }
        description.Append('!').Append(failed);
        string key = description.ToString();
        if (!Driver.Indices.TryGetValue(key, out int index))
        {
            index = Driver.Paths.Count;
            Driver.Indices.Add(key, index);
            Driver.Paths.Add(path);
        }
        Driver.Out.Append(' ').Append(index);
    }
}

static class State
{
    public class ByReference : System.Collections.Generic.IEqualityComparer<object>
    {
        bool System.Collections.Generic.IEqualityComparer<object>.Equals(object one, object other)
        {
            return ReferenceEquals(one, other);
        }

        int System.Collections.Generic.IEqualityComparer<object>.GetHashCode(object value)
        {
            return System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(value);
        }
    }

    /// Appends a text that is the same for two values only if they are in the same state.
    public static void Describe(object value, System.Text.StringBuilder to, System.Collections.Generic.Dictionary<object, int> seen)
    {
        if (value == null)
        {
            to.Append("null;");
            return;
        }
        System.Type type = value.GetType();
        if (value is System.IntPtr || value is System.UIntPtr) throw new System.NotSupportedException();
        if (type.IsPrimitive || type.IsEnum || value is decimal)
        {
            to.Append(type.Name).Append(System.Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture)).Append(';');
            return;
        }
        if (value is string || value is System.Text.StringBuilder)
        {
            string text = value.ToString();
            to.Append(text.Length).Append(':').Append(text);
            return;
        }
        if (value is System.Type || value is System.Text.Encoding)
        {
            to.Append(value).Append(';');
            return;
        }
        if (value is byte[] bytes)
        {
            to.Append(bytes.Length).Append(':').Append(System.Convert.ToBase64String(bytes));
            return;
        }
        if (!type.IsValueType)
        {
            if (seen.TryGetValue(value, out int known))
            {
                to.Append('#').Append(known).Append(';');
                return;
            }
            seen.Add(value, seen.Count);
        }
        to.Append(type.FullName).Append('{');
        if (value is System.IO.MemoryStream stream)
        {
            to.Append(stream.Position).Append(',');
            Describe(stream.ToArray(), to, seen);
        }
        else if (value is System.Collections.ICollection collection)
        {
            foreach (object element in collection) Describe(element, to, seen);
        }
        else
        {
            DescribeFields(value, type, to, seen);
        }
        to.Append('}');
    }

    static void DescribeFields(object value, System.Type type, System.Text.StringBuilder to, System.Collections.Generic.Dictionary<object, int> seen)
    {
        // What else an object of the runtime depends on is hidden state: a delegate, a task, a socket.
        bool isHidden = value is System.Delegate || !type.IsValueType && type.FullName.StartsWith("System.");
        if (isHidden) throw new System.NotSupportedException();
        const System.Reflection.BindingFlags own = System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.Public
            | System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.DeclaredOnly;
        for (System.Type each = type; each != null && each != typeof(object) && each != typeof(System.ValueType); each = each.BaseType)
        {
            if (!each.IsValueType && each.FullName.StartsWith("System.")) throw new System.NotSupportedException();
            foreach (System.Reflection.FieldInfo field in each.GetFields(own)) Describe(field.GetValue(value), to, seen);
        }
    }
}

static class Driver
{
    public static readonly System.Text.StringBuilder Out = new System.Text.StringBuilder();
    /// The paths to saved decoders, and the index of each by its description.
    public static readonly System.Collections.Generic.List<System.Collections.Generic.List<byte[]>> Paths = new System.Collections.Generic.List<System.Collections.Generic.List<byte[]>>();
    public static readonly System.Collections.Generic.Dictionary<string, int> Indices = new System.Collections.Generic.Dictionary<string, int>();
    public static System.Collections.Generic.Dictionary<string, string> Config;
    public static bool Resynchronises;
    static readonly System.IO.Stream replies = System.Console.OpenStandardOutput();
    static Run run;

    public static void Text(object frame)
    {
        if (frame is byte[] bytes)
        {
            foreach (byte each in bytes) Out.Append("0123456789abcdef"[each >> 4]).Append("0123456789abcdef"[each & 15]);
        }
        else
        {
            Out.Append(System.Convert.ToString(frame).Replace("\r", "\\r").Replace("\n", "\\n"));
        }
    }

    static byte[] Bytes(string hex)
    {
        var bytes = new byte[hex.Length / 2];
        for (int i = 0; i < bytes.Length; i++) bytes[i] = (byte)(Digit(hex[2 * i]) << 4 | Digit(hex[2 * i + 1]));
        return bytes;
    }

    static int Digit(char digit)
    {
        return digit <= '9' ? digit - '0' : (digit | 32) - 'a' + 10;
    }

    public static void Flush()
    {
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(Out.ToString());
        replies.Write(bytes, 0, bytes.Length);
        replies.Flush();
        Out.Clear();
    }

    static void Answer(string request)
    {
        string[] words = request.TrimEnd('\r').Split(' ');
        byte[] input = { };
        switch (words[0])
        {
            case "hello":
                Out.Append("ready 2\n");
                break;
            case "new":
                Config = new System.Collections.Generic.Dictionary<string, string>();
                for (int i = 1; i < words.Length; i++)
                {
                    int end = words[i].IndexOf('=');
                    Config[words[i].Substring(0, end)] = words[i].Substring(end + 1);
                }
                Resynchronises = Config.ContainsKey("resynchronises");
                run = new Run(new System.Collections.Generic.List<byte[]>());
                Out.Append("ready");
                run.Save();
                Out.Append('\n');
                break;
            case "feed":
            case "finish":
                if (words.Length > 1) input = Bytes(words[1]);
                run.Reply(input, words[0] == "finish", false);
                break;
            case "row":
                if (words.Length > 2) input = Bytes(words[2]);
                var path = Paths[int.Parse(words[1])];
                for (int length = 0; length <= input.Length; length++)
                {
                    var chunk = new byte[length];
                    System.Array.Copy(input, chunk, length);
                    run = new Run(path);
                    run.Reply(chunk, false, true);
                    if (length % 64 == 63) Flush();
                }
                break;
            default:
                throw new System.ArgumentException("unknown request: " + request);
        }
    }

    static void Main()
    {
        System.Console.SetOut(System.Console.Error); // What a decoder prints is no reply.
        System.IO.Stream requests = System.Console.OpenStandardInput();
        var line = new System.IO.MemoryStream();
        var buffer = new byte[1 << 16];
        for (int count = requests.Read(buffer, 0, buffer.Length); count > 0; count = requests.Read(buffer, 0, buffer.Length))
        {
            int begin = 0;
            for (int end = System.Array.IndexOf(buffer, (byte)'\n', 0, count); end >= 0; end = System.Array.IndexOf(buffer, (byte)'\n', begin, count - begin))
            {
                line.Write(buffer, begin, end - begin);
                Answer(System.Text.Encoding.UTF8.GetString(line.ToArray()));
                line.SetLength(0);
                begin = end + 1;
            }
            line.Write(buffer, begin, count - begin);
            Flush();
        }
    }
}
