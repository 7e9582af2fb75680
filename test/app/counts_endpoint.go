package main

import (
	"encoding/json"
	"net/http"
)

// reporter is what both verbs count with: report returns a snapshot that agrees
// with itself, and begins a new period in the same instant when reset is true.
type reporter interface {
	report(reset bool) any
}

// addCountsEndpoints serves /healthz, /counts and /counts/reset; none of these
// requests is counted.
func addCountsEndpoints(mux *http.ServeMux, counts reporter) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.HandleFunc("GET /counts", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, counts.report(false))
	})
	mux.HandleFunc("POST /counts/reset", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, counts.report(true))
	})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(value)
}
