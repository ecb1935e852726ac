package main

import ( // For the protocol below. Import what the decoder needs after this.
	protoBufio "bufio"
	protoHex "encoding/hex"
	protoFmt "fmt"
	protoOs "os"
	protoReflect "reflect"
	protoRuntime "runtime"
	protoSort "sort"
	protoStrconv "strconv"
	protoStrings "strings"
)
