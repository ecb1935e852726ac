
import (
	"errors"
	"strconv"
)

// A driver for a decoder in Go that is fed. Replace the decoder and the three functions, then run
//
//     go build driver.go
//     everysplit exec --framing len16 -- ./driver

// Decoder is an example: a length of two bytes, then the body.
type Decoder struct {
	limit  int
	buffer []byte
}

// New returns a fresh decoder. config has the entries of --config, and max for --size-limit.
func New(config map[string]string) *Decoder {
	limit, err := strconv.Atoi(config["max"])
	if err != nil {
		limit = 65535
	}
	return &Decoder{limit: limit}
}

// Feed emits the frames of a chunk, each as []byte or string.
func (d *Decoder) Feed(chunk []byte, emit func(frame any)) error {
	d.buffer = append(d.buffer, chunk...)
	for len(d.buffer) >= 2 {
		end := 2 + int(d.buffer[0])<<8 + int(d.buffer[1])
		if end-2 > d.limit {
			return errors.New("too long")
		}
		if len(d.buffer) < end {
			break
		}
		emit(d.buffer[2:end])
		d.buffer = d.buffer[end:]
	}
	return nil
}

// Finish emits the frames at the end of the stream.
func (d *Decoder) Finish(emit func(frame any)) error {
	if len(d.buffer) > 0 {
		return errors.New("truncated")
	}
	return nil
}
