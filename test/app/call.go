package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"
)

type callOptions struct {
	urls        []string
	rate        float64
	duration    time.Duration
	count       int
	timeout     time.Duration
	maxInFlight int
	countsPort  int
	allow       bool
	request     requestOptions
}

// call sends requests at a steady rate, round robin over the URLs, until -duration
// or -count is reached or ctx ends; then it waits for the requests in flight,
// prints its counts as JSON, and returns 1 when any request failed or was not sent.
func call(ctx context.Context, args []string) int {
	options, err := parseCall(args)
	if errors.Is(err, flag.ErrHelp) {
		return 2
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "test-app call: %v\n", err)
		return 2
	}
	senders, err := newSenders(options)
	if err != nil {
		fmt.Fprintf(os.Stderr, "test-app call: %v\n", err)
		return 2
	}
	counts := newCallCounts(options.urls)
	if options.countsPort >= 0 {
		listener, err := listen("counts", options.countsPort)
		if err != nil {
			fmt.Fprintf(os.Stderr, "test-app call: %v\n", err)
			return 2
		}
		mux := http.NewServeMux()
		addCountsEndpoints(mux, counts)
		go func() { _ = http.Serve(listener, mux) }()
	}

	sendAll(ctx, options, senders, counts)
	report := counts.snapshot(false)
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(report)
	if report.Total.Failed+report.Total.NotSent > 0 && !options.allow {
		return 1
	}
	return 0
}

func parseCall(args []string) (callOptions, error) {
	options := callOptions{}
	flags := flag.NewFlagSet("call", flag.ContinueOnError)
	flags.Func("url", "http, https, tcp or udp URL to call; may be repeated", func(text string) error {
		options.urls = append(options.urls, text)
		return nil
	})
	flags.Float64Var(&options.rate, "rate", 10, "requests a second, over all URLs")
	flags.DurationVar(&options.duration, "duration", 0, "how long; 0: until -count or SIGTERM")
	flags.IntVar(&options.count, "count", 0, "how many requests; 0: until -duration or SIGTERM")
	flags.DurationVar(&options.timeout, "timeout", 5*time.Second, "limit of one request, connection included")
	flags.IntVar(&options.maxInFlight, "max-in-flight", 500, "requests under way at most")
	flags.IntVar(&options.countsPort, "counts-port", -1, "serve /counts here; -1: do not")
	flags.BoolVar(&options.allow, "allow-failures", false, "exit with 0 whatever the counts")
	addRequestFlags(flags, &options.request)
	if err := flags.Parse(args); err != nil {
		return options, err
	}
	switch {
	case len(options.urls) == 0:
		return options, errors.New("at least one -url is needed")
	case options.rate <= 0:
		return options, fmt.Errorf("-rate %v must be positive", options.rate)
	}
	return options, nil
}

// sendAll is an open loop: a slow answer does not delay the next request. After a
// stall it catches up with what was due.
func sendAll(ctx context.Context, options callOptions, senders map[string]sender, counts *callCounts) {
	if options.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, options.duration)
		defer cancel()
	}
	interval := time.Duration(float64(time.Second) / options.rate)
	begin := time.Now()
	var running sync.WaitGroup
	defer running.Wait()
	for number := 0; options.count == 0 || number < options.count; number++ {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(begin.Add(time.Duration(number) * interval))):
		}
		target := options.urls[number%len(options.urls)]
		if !counts.begin(target, options.maxInFlight) {
			continue
		}
		running.Go(func() {
			// Not ctx: a request that was sent keeps its whole timeout when the caller is told to stop.
			bounded, cancel := context.WithTimeout(context.Background(), options.timeout)
			defer cancel()
			counts.end(target, senders[target](bounded, number))
		})
	}
}
