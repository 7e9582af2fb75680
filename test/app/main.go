// The test app serves requests, makes requests, and counts both exactly.
//
//	test-app serve   answers HTTP (also HTTPS, TCP and UDP echo) and says who answered
//	test-app call    sends requests at a steady rate and says what became of each
//	test-app ask     makes one request and prints the answer
//
// The first two answer GET /counts with their counts as JSON, POST /counts/reset
// with the same and then begin a new period, and GET /healthz with 200 as long as
// they run; serve also answers gRPC's health check on its HTTP port.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

// run executes one verb and returns the exit code: 0 for success, 1 for requests
// that failed, 2 for a command line or a port that cannot be used.
func run(ctx context.Context, args []string) int {
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: test-app serve|call|ask [flags]; -h after the verb lists its flags")
		return 2
	}
	switch args[0] {
	case "serve":
		return serve(ctx, args[1:])
	case "call":
		return call(ctx, args[1:])
	case "ask":
		return ask(ctx, args[1:])
	default:
		fmt.Fprintf(os.Stderr, "test-app: unknown verb %q; use serve, call or ask\n", args[0])
		return 2
	}
}
