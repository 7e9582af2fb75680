package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

type askOptions struct {
	url     string
	timeout time.Duration
	request requestOptions
}

// ask makes one HTTP request and prints the body of its answer. It returns 1, and
// says why on standard error, when there is no answer or one outside 2xx.
func ask(ctx context.Context, args []string) int {
	options, err := parseAsk(args)
	if errors.Is(err, flag.ErrHelp) {
		return 2
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "test-app ask: %v\n", err)
		return 2
	}
	client, err := newClient(options.request, 1)
	if err != nil {
		fmt.Fprintf(os.Stderr, "test-app ask: %v\n", err)
		return 2
	}
	ctx, cancel := context.WithTimeout(ctx, options.timeout)
	defer cancel()
	if err := askOnce(ctx, client, options, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "test-app ask: %v\n", err)
		return 1
	}
	return 0
}

func parseAsk(args []string) (askOptions, error) {
	options := askOptions{}
	flags := flag.NewFlagSet("ask", flag.ContinueOnError)
	flags.StringVar(&options.url, "url", "", "http or https URL to ask")
	flags.DurationVar(&options.timeout, "timeout", 5*time.Second, "limit of the request, connection included")
	addRequestFlags(flags, &options.request)
	if err := flags.Parse(args); err != nil {
		return options, err
	}
	if options.url == "" {
		return options, errors.New("-url is needed")
	}
	return options, nil
}

func askOnce(ctx context.Context, client *http.Client, options askOptions, out io.Writer) error {
	request, err := newRequest(ctx, options.url, options.request)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("%s: %w", failureKind(err), err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(out, response.Body); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("status-%d: %s", response.StatusCode, response.Status)
	}
	return nil
}
