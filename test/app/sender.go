package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// sender makes one request and says what became of it; number only tells requests apart.
type sender func(ctx context.Context, number int) outcome

type requestOptions struct {
	method, host, address string
	header                http.Header
	keepAlive             bool
	ca, cert, key         string
	serverName            string
}

// addRequestFlags adds the flags of what is asked, and as whom.
func addRequestFlags(flags *flag.FlagSet, options *requestOptions) {
	options.header = http.Header{}
	flags.StringVar(&options.method, "method", http.MethodGet, "HTTP method")
	flags.StringVar(&options.host, "host", "", "HTTP Host, when it is not the URL's")
	flags.Func("header", "HTTP header as name:value; may be repeated", func(text string) error {
		name, value, found := strings.Cut(text, ":")
		if !found {
			return errors.New("want name:value")
		}
		options.header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
		return nil
	})
	flags.BoolVar(&options.keepAlive, "keep-alive", true, "reuse connections")
	flags.StringVar(&options.ca, "ca", "", "CA that HTTPS servers are verified with, PEM file")
	flags.StringVar(&options.cert, "cert", "", "client certificate, PEM file")
	flags.StringVar(&options.key, "key", "", "client key, PEM file")
	flags.StringVar(&options.serverName, "server-name", "", "TLS server name, when it is not the URL's")
	flags.StringVar(&options.address, "connect-to", "", "host:port to connect to, whatever the URL says")
}

func newSenders(options callOptions) (map[string]sender, error) {
	client, err := newClient(options.request, options.maxInFlight)
	if err != nil {
		return nil, err
	}
	senders := map[string]sender{}
	for _, text := range options.urls {
		target, err := url.Parse(text)
		if err != nil {
			return nil, err
		}
		switch target.Scheme {
		case "http", "https":
			senders[text] = httpSender(client, text, options.request)
		case "tcp", "udp":
			senders[text] = echoSender(target.Scheme, target.Host)
		default:
			return nil, fmt.Errorf("-url %s: scheme must be http, https, tcp or udp", text)
		}
	}
	return senders, nil
}

func newClient(options requestOptions, maxIdle int) (*http.Client, error) {
	config, err := clientTLS(options)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				if options.address != "" {
					address = options.address
				}
				return dialer.DialContext(ctx, network, address)
			},
			TLSClientConfig:     config,
			DisableKeepAlives:   !options.keepAlive,
			DisableCompression:  true,
			MaxIdleConnsPerHost: maxIdle,
		},
	}, nil
}

func clientTLS(options requestOptions) (*tls.Config, error) {
	config := &tls.Config{ServerName: options.serverName, MinVersion: tls.VersionTLS12}
	if options.ca != "" {
		pool, err := readPool(options.ca)
		if err != nil {
			return nil, err
		}
		config.RootCAs = pool
	}
	if options.cert != "" {
		certificate, err := tls.LoadX509KeyPair(options.cert, options.key)
		if err != nil {
			return nil, fmt.Errorf("read -cert and -key: %w", err)
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	return config, nil
}

// emptyBody is a request body without bytes. Its presence keeps net/http from
// sending a request again by itself when a reused connection breaks: such a
// request is a failure that a test must see.
type emptyBody struct{}

func (emptyBody) Read([]byte) (int, error) { return 0, io.EOF }
func (emptyBody) Close() error             { return nil }

func newRequest(ctx context.Context, target string, options requestOptions) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, options.method, target, emptyBody{})
	if err != nil {
		return nil, err
	}
	request.Header = options.header.Clone()
	request.Host = options.host
	return request, nil
}

func httpSender(client *http.Client, target string, options requestOptions) sender {
	return func(ctx context.Context, _ int) (result outcome) {
		begin := time.Now()
		var connected atomic.Bool
		defer func() {
			result.duration = time.Since(begin)
			result.newConnection = connected.Load()
		}()
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			GotConn: func(info httptrace.GotConnInfo) { connected.Store(!info.Reused) },
		})
		request, err := newRequest(ctx, target, options)
		if err != nil {
			return failed(err)
		}
		response, err := client.Do(request)
		if err != nil {
			return failed(err)
		}
		defer response.Body.Close()
		beginning, err := readAll(response.Body)
		if err != nil {
			return outcome{kind: "body", message: err.Error()}
		}
		result = outcome{hasAnswer: true, answeredBy: answeredBy(response.Header)}
		if response.StatusCode < 200 || response.StatusCode > 299 {
			result.kind = fmt.Sprintf("status-%d", response.StatusCode)
			result.message = fmt.Sprintf("%s: %s", response.Status, beginning)
		}
		return result
	}
}

// readAll reads a body to its end and returns its first 200 bytes, in which a proxy says why it answered by itself.
func readAll(body io.Reader) (string, error) {
	var beginning strings.Builder
	if _, err := io.CopyN(&beginning, body, 200); err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	_, err := io.Copy(io.Discard, body)
	return strings.TrimSpace(beginning.String()), err
}

func answeredBy(header http.Header) string {
	if header.Get("X-App-Name") == "" {
		return ""
	}
	return header.Get("X-App-Name") + "/" + header.Get("X-App-Version")
}

// echoSender opens a connection, writes one line and wants the same line back.
func echoSender(network, address string) sender {
	return func(ctx context.Context, number int) outcome {
		begin := time.Now()
		connection, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return failed(err)
		}
		defer connection.Close()
		if deadline, bounded := ctx.Deadline(); bounded {
			_ = connection.SetDeadline(deadline)
		}
		line := fmt.Sprintf("ping %d\n", number)
		if _, err := connection.Write([]byte(line)); err != nil {
			return failed(err)
		}
		echo, err := bufio.NewReader(connection).ReadString('\n')
		if err != nil {
			return failed(err)
		}
		if echo != line {
			return outcome{kind: "echo", message: fmt.Sprintf("got %q for %q", echo, line)}
		}
		return outcome{newConnection: true, duration: time.Since(begin)}
	}
}

func failed(err error) outcome {
	return outcome{kind: failureKind(err), message: err.Error()}
}

// failureKind names why a request got no answer; the most specific kind wins.
func failureKind(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns):
		return "dns"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "unreachable"
	case isTLSError(err):
		return "tls"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), isClosedIdle(err):
		return "closed"
	default:
		return "other"
	}
}

func isTLSError(err error) bool {
	var verification *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var hostname x509.HostnameError
	return errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, &verification) || errors.As(err, &record) || errors.As(err, &alert) ||
		errors.As(err, &hostname) || strings.Contains(err.Error(), "remote error: tls:")
}

// isClosedIdle: net/http has no exported error for a connection that the server
// closed just as a request went out on it.
func isClosedIdle(err error) bool {
	return strings.Contains(err.Error(), "server closed idle connection")
}
