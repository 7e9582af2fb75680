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
	"os"
	"strconv"
	"time"
)

// answer is the JSON body of every HTTP answer: who answered, and what arrived.
type answer struct {
	Name     string      `json:"name"`
	Version  string      `json:"version"`
	Instance string      `json:"instance"`
	Method   string      `json:"method"`
	Host     string      `json:"host"`
	Path     string      `json:"path"`
	Protocol string      `json:"protocol"`
	Remote   string      `json:"remote"`
	Headers  http.Header `json:"headers"`
	// ClientCertificate holds the URI SANs of the client's certificate, on HTTPS with a client CA.
	ClientCertificate []string `json:"clientCertificate,omitempty"`
}

type serveOptions struct {
	name, version             string
	port, tlsPort             int
	tcpPort, udpPort          int
	tlsCert, tlsKey, clientCA string
	drain                     time.Duration
}

// serve answers until ctx ends, then for -drain longer, then lets requests in
// flight end. Port 0 takes a free one; each address is printed to standard error
// as "listening <what> <address>" once it accepts connections.
func serve(ctx context.Context, args []string) int {
	options := serveOptions{}
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.StringVar(&options.name, "name", "test-app", "name in every answer")
	flags.StringVar(&options.version, "version", "v1", "version in every answer")
	flags.IntVar(&options.port, "port", 8080, "HTTP port")
	flags.IntVar(&options.tlsPort, "tls-port", -1, "HTTPS port; -1: none")
	flags.StringVar(&options.tlsCert, "tls-cert", "", "certificate chain for -tls-port, PEM file")
	flags.StringVar(&options.tlsKey, "tls-key", "", "key for -tls-port, PEM file")
	flags.StringVar(&options.clientCA, "client-ca", "", "ask HTTPS clients for a certificate of this CA, PEM file")
	flags.IntVar(&options.tcpPort, "tcp-port", -1, "port that echoes TCP lines; -1: none")
	flags.IntVar(&options.udpPort, "udp-port", -1, "port that echoes UDP packets; -1: none")
	flags.DurationVar(&options.drain, "drain", 0, "keep answering so long after SIGTERM")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if err := serveUntilDone(ctx, options); err != nil {
		fmt.Fprintf(os.Stderr, "test-app serve: %v\n", err)
		return 2
	}
	return 0
}

func serveUntilDone(ctx context.Context, options serveOptions) error {
	counts := newServedCounts()
	mux := http.NewServeMux()
	addCountsEndpoints(mux, counts)
	addGRPCHealth(mux)
	mux.Handle("/", countedHandler(counts, answerHandler(options)))

	failed := make(chan error, 4)
	plain := &http.Server{Handler: mux, ReadHeaderTimeout: 30 * time.Second, Protocols: plainProtocols()}
	secure := &http.Server{Handler: mux, ReadHeaderTimeout: 30 * time.Second}
	listener, err := listen("http", options.port)
	if err != nil {
		return err
	}
	go func() { failed <- plain.Serve(listener) }()
	if options.tlsPort >= 0 {
		if secure.TLSConfig, err = serverTLS(options); err != nil {
			return err
		}
		listener, err := listen("https", options.tlsPort)
		if err != nil {
			return err
		}
		go func() { failed <- secure.ServeTLS(listener, "", "") }()
	}
	if options.tcpPort >= 0 {
		listener, err := listen("tcp", options.tcpPort)
		if err != nil {
			return err
		}
		go func() { failed <- echoTCP(listener) }()
	}
	if options.udpPort >= 0 {
		connection, err := net.ListenPacket("udp", portAddress(options.udpPort))
		if err != nil {
			return err
		}
		announce("udp", connection.LocalAddr())
		go func() { failed <- echoUDP(connection) }()
	}

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	time.Sleep(options.drain)
	bounded, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return errors.Join(plain.Shutdown(bounded), secure.Shutdown(bounded))
}

// plainProtocols are what the HTTP port speaks: gRPC needs HTTP/2, and has no TLS here.
func plainProtocols() *http.Protocols {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return protocols
}

// countedHandler counts each request once, by the status it was answered with.
func countedHandler(counts *servedCounts, next func(http.ResponseWriter, *http.Request) int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		counts.begin()
		status := http.StatusInternalServerError
		defer func() { counts.end(status) }()
		status = next(w, r)
	})
}

// answerHandler answers with the request as JSON. The query can ask for another
// status (?status=503) and for a delay before the answer (?delay=200ms).
func answerHandler(options serveOptions) func(http.ResponseWriter, *http.Request) int {
	instance, err := os.Hostname()
	if err != nil {
		instance = "unknown"
	}
	return func(w http.ResponseWriter, r *http.Request) int {
		status, delay, err := wishes(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return http.StatusBadRequest
		}
		select {
		case <-time.After(delay):
		case <-r.Context().Done():
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("X-App-Name", options.name)
		w.Header().Set("X-App-Version", options.version)
		w.Header().Set("X-App-Instance", instance)
		writeJSON(w, status, answer{
			Name: options.name, Version: options.version, Instance: instance,
			Method: r.Method, Host: r.Host, Path: r.URL.Path, Protocol: r.Proto,
			Remote: r.RemoteAddr, Headers: r.Header, ClientCertificate: clientURIs(r.TLS),
		})
		return status
	}
}

func wishes(r *http.Request) (status int, delay time.Duration, err error) {
	status = http.StatusOK
	query := r.URL.Query()
	if text := query.Get("status"); text != "" {
		status, err = strconv.Atoi(text)
		if err != nil || status < 200 || status > 599 {
			return 0, 0, fmt.Errorf("status %q is not a number from 200 to 599", text)
		}
	}
	if text := query.Get("delay"); text != "" {
		delay, err = time.ParseDuration(text)
	}
	return status, delay, err
}

func clientURIs(state *tls.ConnectionState) []string {
	if state == nil || len(state.PeerCertificates) == 0 {
		return nil
	}
	uris := []string{}
	for _, uri := range state.PeerCertificates[0].URIs {
		uris = append(uris, uri.String())
	}
	return uris
}

func serverTLS(options serveOptions) (*tls.Config, error) {
	certificate, err := tls.LoadX509KeyPair(options.tlsCert, options.tlsKey)
	if err != nil {
		return nil, fmt.Errorf("read -tls-cert and -tls-key: %w", err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	if options.clientCA != "" {
		pool, err := readPool(options.clientCA)
		if err != nil {
			return nil, err
		}
		config.ClientCAs = pool
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return config, nil
}

func readPool(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no PEM certificate", file)
	}
	return pool, nil
}

// listen opens a TCP port and announces its address.
func listen(what string, port int) (net.Listener, error) {
	listener, err := net.Listen("tcp", portAddress(port))
	if err == nil {
		announce(what, listener.Addr())
	}
	return listener, err
}

func announce(what string, address net.Addr) {
	fmt.Fprintf(os.Stderr, "listening %s %s\n", what, address)
}

func echoTCP(listener net.Listener) error {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer connection.Close()
			reader := bufio.NewReader(connection)
			for {
				line, err := reader.ReadBytes('\n')
				if err != nil {
					return
				}
				if _, err := connection.Write(line); err != nil {
					return
				}
			}
		}()
	}
}

func echoUDP(connection net.PacketConn) error {
	packet := make([]byte, 65536)
	for {
		length, sender, err := connection.ReadFrom(packet)
		if err != nil {
			return err
		}
		if _, err := connection.WriteTo(packet[:length], sender); err != nil {
			return err
		}
	}
}

func portAddress(port int) string {
	return fmt.Sprintf(":%d", port)
}
