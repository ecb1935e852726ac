
// ---- The protocol, version 2. "everysplit protocol" describes it. Nothing below needs a change. ----

// Piece is a part of a frame, to be emitted before the rest of it.
type Piece []byte

type protoFed interface {
	Feed(chunk []byte, emit func(frame any)) error
	Finish(emit func(frame any)) error
}

type protoSplit interface {
	Split(data []byte, atEOF bool) (advance int, token []byte, err error)
}

// protoRun is a decoder, the calls so far, and its first error. After an error, the decoder is no
// longer used.
type protoRun struct {
	decoder any
	path    [][]byte
	failed  error
}

var (
	protoOut            *protoBufio.Writer
	protoConfig         map[string]string
	protoResynchronises bool
	// The paths to saved decoders, and the index of each by its description.
	protoPaths   [][][]byte
	protoIndices = map[string]int{}
)

func protoMake(path [][]byte) *protoRun {
	run := &protoRun{decoder: New(protoConfig)}
	for _, input := range path {
		run.call(input, false, func(any) {})
	}
	return run
}

// call calls the decoder. It returns how many bytes it consumes, and the error of this call.
func (run *protoRun) call(input []byte, atEOF bool, emit func(any)) (consumed int, err error) {
	if run.failed != nil {
		return 0, run.failed
	}
	run.path = append(run.path[:len(run.path):len(run.path)], input)
	switch decoder := run.decoder.(type) {
	case protoSplit:
		for {
			var advance int
			var token []byte
			advance, token, err = decoder.Split(input[consumed:], atEOF)
			consumed += advance
			if token != nil && err == nil {
				emit(token)
			}
			if token != nil || err != nil || advance == 0 {
				break
			}
		}
	case protoFed:
		if atEOF {
			err = decoder.Finish(emit)
		} else {
			err = decoder.Feed(input, emit)
		}
	}
	if err != nil && (atEOF || !protoResynchronises) {
		run.failed = err
	}
	return consumed, err
}

func protoText(frame any) string {
	switch frame := frame.(type) {
	case []byte:
		return protoHex.EncodeToString(frame)
	case Piece:
		return protoHex.EncodeToString(frame)
	}
	text := protoFmt.Sprint(frame)
	return protoStrings.NewReplacer("\r", "\\r", "\n", "\\n").Replace(text)
}

// reply calls the decoder, and writes the reply.
func (run *protoRun) reply(input []byte, atEOF, save bool) {
	consumed, err := run.call(input, atEOF, func(frame any) {
		if _, ok := frame.(Piece); ok {
			protoOut.WriteString("piece ")
		} else {
			protoOut.WriteString("frame ")
		}
		protoOut.WriteString(protoText(frame))
		protoOut.WriteByte('\n')
	})
	if err != nil {
		word := "error"
		if run.failed == nil {
			word = "reject"
		}
		protoFmt.Fprintf(protoOut, "%s %s\n", word, protoText(err.Error()))
	}
	protoOut.WriteString("ready")
	if _, ok := run.decoder.(protoSplit); ok {
		protoOut.WriteByte(' ')
		protoOut.WriteString(protoStrconv.Itoa(consumed))
	}
	if save {
		protoOut.WriteString(run.save())
	}
	protoOut.WriteByte('\n')
}

// save returns the name of the decoder's state, with a space before it; nothing if it is hidden.
func (run *protoRun) save() string {
	description, ok := run.describe()
	if !ok {
		return ""
	}
	index, known := protoIndices[description]
	if !known {
		index = len(protoPaths)
		protoIndices[description] = index
		protoPaths = append(protoPaths, run.path)
	}
	return " " + protoStrconv.Itoa(index)
}

// describe returns a text that is the same for two decoders only if they are in the same state.
func (run *protoRun) describe() (text string, ok bool) {
	if run.failed != nil {
		return "failed " + run.failed.Error(), true
	}
	describer := protoDescriber{seen: map[uintptr]int{}}
	defer func() {
		if reason := recover(); reason != nil {
			if reason != protoHidden {
				panic(reason)
			}
			text, ok = "", false
		}
	}()
	describer.value(protoReflect.ValueOf(run.decoder))
	return describer.text.String(), true
}

type protoDescriber struct {
	text protoStrings.Builder
	seen map[uintptr]int
}

// protoHidden is the panic at state that cannot be read.
const protoHidden = "hidden state"

func (d *protoDescriber) bytes(bytes []byte) {
	d.text.WriteString(protoStrconv.Itoa(len(bytes)))
	d.text.WriteByte(':')
	d.text.Write(bytes)
}

func (d *protoDescriber) value(v protoReflect.Value) {
	switch v.Kind() {
	case protoReflect.Invalid:
		d.text.WriteByte('n')
	case protoReflect.Bool:
		d.text.WriteString(protoStrconv.FormatBool(v.Bool()))
	case protoReflect.Int, protoReflect.Int8, protoReflect.Int16, protoReflect.Int32, protoReflect.Int64:
		d.text.WriteString(protoStrconv.FormatInt(v.Int(), 36))
	case protoReflect.Uint, protoReflect.Uint8, protoReflect.Uint16, protoReflect.Uint32, protoReflect.Uint64, protoReflect.Uintptr:
		d.text.WriteString(protoStrconv.FormatUint(v.Uint(), 36))
	case protoReflect.Float32, protoReflect.Float64:
		d.text.WriteString(protoStrconv.FormatFloat(v.Float(), 'g', -1, 64))
	case protoReflect.Complex64, protoReflect.Complex128:
		d.text.WriteString(protoFmt.Sprint(v.Complex()))
	case protoReflect.String:
		d.bytes([]byte(v.String()))
	case protoReflect.Struct:
		if v.Type().PkgPath() == "bytes" && v.Type().Name() == "Buffer" {
			// What has been read is no state.
			d.bytes(v.FieldByName("buf").Bytes()[v.FieldByName("off").Int():])
			return
		}
		d.text.WriteString(v.Type().String())
		for i := 0; i < v.NumField(); i++ {
			d.value(v.Field(i))
			d.text.WriteByte(';')
		}
	case protoReflect.Slice:
		if v.Type().Elem().Kind() == protoReflect.Uint8 {
			d.bytes(v.Bytes())
			return
		}
		d.elements(v)
	case protoReflect.Array:
		d.elements(v)
	case protoReflect.Pointer:
		if v.IsNil() {
			d.text.WriteByte('n')
			return
		}
		if index, ok := d.seen[v.Pointer()]; ok {
			d.text.WriteString("#" + protoStrconv.Itoa(index))
			return
		}
		d.seen[v.Pointer()] = len(d.seen)
		d.text.WriteByte('*')
		d.value(v.Elem())
	case protoReflect.Interface:
		d.value(v.Elem())
	case protoReflect.Map:
		entries := []string{}
		for _, key := range v.MapKeys() {
			entry := protoDescriber{seen: d.seen}
			entry.value(key)
			entry.text.WriteByte('=')
			entry.value(v.MapIndex(key))
			entries = append(entries, entry.text.String())
		}
		protoSort.Strings(entries)
		d.text.WriteString(protoFmt.Sprint(len(entries), entries))
	case protoReflect.Func:
		if v.IsNil() {
			d.text.WriteByte('n')
			return
		}
		name := protoRuntime.FuncForPC(v.Pointer()).Name()
		if protoStrings.Contains(name, ".func") || protoStrings.HasSuffix(name, "-fm") {
			panic(protoHidden) // A closure can have state.
		}
		d.text.WriteString(name)
	default: // Channels, and pointers of C.
		if !v.IsNil() {
			panic(protoHidden)
		}
		d.text.WriteByte('n')
	}
}

func (d *protoDescriber) elements(v protoReflect.Value) {
	d.text.WriteString(protoStrconv.Itoa(v.Len()))
	for i := 0; i < v.Len(); i++ {
		d.text.WriteByte(',')
		d.value(v.Index(i))
	}
}

func protoFail(request string) {
	protoFmt.Fprintf(protoOs.Stderr, "unknown request: %q\n", request)
	protoOs.Exit(1)
}

func main() {
	protoOut = protoBufio.NewWriterSize(protoOs.Stdout, 1<<16)
	protoOs.Stdout = protoOs.Stderr // What a decoder prints is no reply.
	in := protoBufio.NewReaderSize(protoOs.Stdin, 1<<16)
	var run *protoRun
	for {
		request, err := in.ReadString('\n')
		if err != nil {
			protoOut.Flush()
			return
		}
		words := append(protoStrings.Fields(request), "", "", "")
		switch words[0] {
		case "hello":
			protoOut.WriteString("ready 2")
			if _, ok := any((*Decoder)(nil)).(protoSplit); ok {
				protoOut.WriteString(" buffer")
			}
			protoOut.WriteByte('\n')
		case "new":
			protoConfig = map[string]string{}
			for _, word := range words[1:] {
				if key, value, ok := protoStrings.Cut(word, "="); ok {
					protoConfig[key] = value
				}
			}
			_, protoResynchronises = protoConfig["resynchronises"]
			run = protoMake(nil)
			protoOut.WriteString("ready" + run.save() + "\n")
		case "feed", "decode", "finish":
			input, err := protoHex.DecodeString(words[1])
			if err != nil {
				protoFail(request)
			}
			run.reply(input, words[0] == "finish", false)
		case "row":
			state, err := protoStrconv.Atoi(words[1])
			input, err2 := protoHex.DecodeString(words[2])
			if err != nil || err2 != nil || state >= len(protoPaths) {
				protoFail(request)
			}
			for length := 0; length <= len(input); length++ {
				run = protoMake(protoPaths[state])
				run.reply(append([]byte{}, input[:length]...), false, true)
				if length%64 == 63 {
					protoOut.Flush()
				}
			}
		default:
			protoFail(request)
		}
		if in.Buffered() == 0 {
			protoOut.Flush()
		}
	}
}
