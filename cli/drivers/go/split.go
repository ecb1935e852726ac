
import (
	"errors"
	"strconv"
)

// A driver for a bufio.SplitFunc. Replace the decoder and the two functions, then run
//
//     go build driver.go
//     everysplit exec --framing len16 -- ./driver

// Decoder has what the function needs.
type Decoder struct{ limit int }

// New returns a fresh decoder. config has the entries of --config, and max for --size-limit.
func New(config map[string]string) *Decoder {
	limit, err := strconv.Atoi(config["max"])
	if err != nil {
		limit = 65535
	}
	return &Decoder{limit}
}

// Split is a bufio.SplitFunc. Example: a length of two bytes, then the body.
func (d *Decoder) Split(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if len(data) >= 2 {
		end := 2 + int(data[0])<<8 + int(data[1])
		if end-2 > d.limit {
			return 0, nil, errors.New("too long")
		}
		if len(data) >= end {
			return end, data[2:end], nil
		}
	}
	if atEOF && len(data) > 0 {
		return 0, nil, errors.New("truncated")
	}
	return 0, nil, nil
}
