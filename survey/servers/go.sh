# Go's net/http.
go version > version
cat > server.go <<'GO'
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/", func(reply http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		fmt.Fprintf(reply, "%s %s %s", request.Method, request.URL, body)
	})
	http.ListenAndServe("127.0.0.1:"+os.Args[1], nil)
}
GO
go build -o server server.go
everysplit http --port "$PORT" -- ./server "$PORT"
