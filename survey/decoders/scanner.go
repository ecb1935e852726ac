
import (
	"bufio"
	"errors"
	"io"
)

func Read(reader io.Reader, config map[string]string, emit func(frame any)) error {
	scanner := bufio.NewScanner(reader)
	for scanner.Scan() {
		emit(scanner.Bytes())
	}
	return scanner.Err()
}

