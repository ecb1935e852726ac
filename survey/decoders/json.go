
import (
	"encoding/json"
	"errors"
	"io"
)

func Read(reader io.Reader, config map[string]string, emit func(frame any)) error {
	decoder := json.NewDecoder(reader)
	for {
		var value json.RawMessage
		if err := decoder.Decode(&value); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		emit([]byte(value))
	}
}

