
import (
	"encoding/binary"
	"errors"
	"io"
)

// A driver for a decoder in Go that reads. Replace the function Read, then run
//
//     go build driver.go
//     everysplit exec --framing len16 -- ./driver

// Read reads frames until the stream ends, and emits each as []byte or string. config has the
// entries of --config, and max for --size-limit.
func Read(reader io.Reader, config map[string]string, emit func(frame any)) error {
	// Example: a length of two bytes, then the body.
	for {
		var header [2]byte
		if _, err := io.ReadFull(reader, header[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		body := make([]byte, binary.BigEndian.Uint16(header[:]))
		if _, err := io.ReadFull(reader, body); err == io.EOF {
			return io.ErrUnexpectedEOF
		} else if err != nil {
			return err
		}
		emit(body)
	}
}

// ---- Nothing below needs a change. ----

// Decoder runs Read in a goroutine, and waits until it needs bytes.
type Decoder struct {
	chunks  chan []byte
	waits   chan struct{}
	done    chan error
	ended   bool
	err     error
	rest    []byte
	atEOF   bool
	emitted []any
}

var errStopped = errors.New("stopped reading")

var last *Decoder

func New(config map[string]string) *Decoder {
	if last != nil && !last.ended && !last.atEOF {
		// Only the last decoder is used: this one ends.
		close(last.chunks)
	}
	d := &Decoder{chunks: make(chan []byte), waits: make(chan struct{}, 1), done: make(chan error, 1)}
	last = d
	go func() { d.done <- Read(d, config, func(frame any) { d.emitted = append(d.emitted, copied(frame)) }) }()
	d.settle()
	return d
}

// copied returns a frame that stays as it is when the reader goes on.
func copied(frame any) any {
	if bytes, ok := frame.([]byte); ok {
		return append([]byte{}, bytes...)
	}
	return frame
}

func (d *Decoder) Read(p []byte) (int, error) {
	if len(d.rest) == 0 && !d.atEOF {
		d.waits <- struct{}{}
		chunk, ok := <-d.chunks
		d.rest, d.atEOF = chunk, !ok
	}
	if d.atEOF {
		return 0, io.EOF
	}
	n := copy(p, d.rest)
	d.rest = d.rest[n:]
	return n, nil
}

func (d *Decoder) settle() {
	select {
	case <-d.waits:
	case d.err = <-d.done:
		d.ended = true
	}
}

func (d *Decoder) Feed(chunk []byte, emit func(frame any)) error {
	if len(chunk) > 0 && !d.ended {
		d.chunks <- append([]byte{}, chunk...)
		d.settle()
	}
	return d.emits(emit, errStopped)
}

func (d *Decoder) Finish(emit func(frame any)) error {
	if !d.ended {
		close(d.chunks)
		d.settle()
	}
	return d.emits(emit, nil)
}

func (d *Decoder) emits(emit func(frame any), stopped error) error {
	for _, frame := range d.emitted {
		emit(frame)
	}
	d.emitted = nil
	if d.ended && d.err == nil {
		return stopped
	}
	return d.err
}
