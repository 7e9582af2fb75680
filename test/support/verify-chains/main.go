// Command verify-chains says what Go's crypto/x509, which Istio verifies with, makes of certificate chains.
// It reads a JSON list of chains from standard input, and writes a list of as many errors; an empty one means verified.
package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"log"
	"os"
)

// chain is what a TLS client has in hand: the roots it trusts, and what the server shows, its own certificate first.
type chain struct {
	Roots   string `json:"roots"`
	Shown   string `json:"shown"`
	DNSName string `json:"dnsName"`
}

func main() {
	var chains []chain
	if err := json.NewDecoder(os.Stdin).Decode(&chains); err != nil {
		log.Fatal(err)
	}
	complaints := make([]string, len(chains))
	for i, each := range chains {
		if err := each.verify(); err != nil {
			complaints[i] = err.Error()
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(complaints); err != nil {
		log.Fatal(err)
	}
}

func (c chain) verify() error {
	first, rest := pem.Decode([]byte(c.Shown))
	if first == nil {
		return errors.New("no certificate is shown")
	}
	leaf, err := x509.ParseCertificate(first.Bytes)
	if err != nil {
		return err
	}
	_, err = leaf.Verify(x509.VerifyOptions{
		DNSName:       c.DNSName,
		Roots:         poolOf([]byte(c.Roots)),
		Intermediates: poolOf(rest),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	return err
}

func poolOf(certificates []byte) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certificates)
	return pool
}
