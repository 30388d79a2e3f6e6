// Command mooring-schemas encodes by schemas for mooring-shim, which starts it, and speaks to it over its standard input and output.
package main

import (
	"fmt"
	"os"
	"runtime/debug"

	"mooring.dev/mooring/internal/shim/codec"
	"mooring.dev/mooring/internal/shim/codec/protocol"
)

func main() {
	if len(os.Args) != 2 || os.Args[1] != protocol.Argument {
		fmt.Fprintln(os.Stderr, "mooring-schemas: mooring-shim starts this when it is sent what needs a schema; there is nothing to do by hand")
		os.Exit(2)
	}
	// The container's limit, which the environment may name, is the shim's; this program has a part of it.
	debug.SetMemoryLimit(codec.MaxMemory / 2)
	if err := codec.Serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mooring-schemas:", err)
		os.Exit(1)
	}
}
