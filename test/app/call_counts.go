package main

import (
	"sync"
	"time"
)

const keptFailures = 20

// callCounts counts what became of each request. All changes happen under one
// lock, so every snapshot holds: sent = ok + sum of failed + inFlight.
type callCounts struct {
	mutex   sync.Mutex
	since   time.Time
	total   targetCounts
	targets map[string]*targetCounts
	recent  []failure
}

type targetCounts struct {
	sent, ok, notSent, inFlight int
	failed                      map[string]int
	answeredBy                  map[string]int
	connections                 int
	latencies                   latencies
}

// targetReport is the JSON of the counts of one target, or of all together.
type targetReport struct {
	// Sent is the number of requests begun in this period, and those in flight when it began.
	Sent int `json:"sent"`
	// OK is the number of requests answered with 2xx and a complete body (or a complete echo).
	OK int `json:"ok"`
	// Failed is Sent minus OK minus InFlight, split by kind in FailedBy.
	Failed int `json:"failed"`
	// FailedBy has the kinds refused, reset, closed, timeout, dns, unreachable, tls, body, echo,
	// other, and status-<code> for an answer outside 2xx.
	FailedBy map[string]int `json:"failedBy"`
	// InFlight is the number of requests without an outcome yet.
	InFlight int `json:"inFlight"`
	// NotSent is the number of requests that were due but not begun, since -max-in-flight
	// were under way; they are not part of Sent.
	NotSent int `json:"notSent"`
	// Connections is the number of connections opened.
	Connections int `json:"connections"`
	// AnsweredBy counts HTTP answers by "<name>/<version>" of the answering test app; "" when
	// something else answered.
	AnsweredBy map[string]int `json:"answeredBy"`
	// LatencyMs covers the requests of OK.
	LatencyMs latencyReport `json:"latencyMs"`
}

// callReport is the JSON of a caller's counts.
type callReport struct {
	Since time.Time    `json:"since"`
	Until time.Time    `json:"until"`
	Total targetReport `json:"total"`
	// Targets has one entry a URL.
	Targets map[string]targetReport `json:"targets"`
	// LastFailures holds the last 20 failures of the period, oldest first.
	LastFailures []failure `json:"lastFailures"`
}

type failure struct {
	At      time.Time `json:"at"`
	Target  string    `json:"target"`
	Kind    string    `json:"kind"`
	Message string    `json:"message"`
}

// outcome is what became of one request; kind is empty for success.
type outcome struct {
	kind, message string
	answeredBy    string
	hasAnswer     bool
	newConnection bool
	duration      time.Duration
}

func newCallCounts(targets []string) *callCounts {
	counts := &callCounts{since: time.Now(), total: newTargetCounts(), targets: map[string]*targetCounts{}}
	for _, target := range targets {
		fresh := newTargetCounts()
		counts.targets[target] = &fresh
	}
	return counts
}

func newTargetCounts() targetCounts {
	return targetCounts{failed: map[string]int{}, answeredBy: map[string]int{}, latencies: newLatencies()}
}

// begin counts a request as sent unless limit requests are in flight, and says whether it did.
func (c *callCounts) begin(target string, limit int) bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	sends := c.total.inFlight < limit
	for _, counts := range []*targetCounts{&c.total, c.targets[target]} {
		if sends {
			counts.sent++
			counts.inFlight++
		} else {
			counts.notSent++
		}
	}
	return sends
}

func (c *callCounts) end(target string, result outcome) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, counts := range []*targetCounts{&c.total, c.targets[target]} {
		counts.add(result)
	}
	if result.kind == "" {
		return
	}
	c.recent = append(c.recent, failure{At: time.Now().UTC(), Target: target, Kind: result.kind, Message: result.message})
	if len(c.recent) > keptFailures {
		c.recent = c.recent[1:]
	}
}

func (c *targetCounts) add(result outcome) {
	c.inFlight--
	if result.newConnection {
		c.connections++
	}
	if result.hasAnswer {
		c.answeredBy[result.answeredBy]++
	}
	if result.kind != "" {
		c.failed[result.kind]++
		return
	}
	c.ok++
	c.latencies.add(result.duration)
}

func (c *callCounts) report(reset bool) any {
	return c.snapshot(reset)
}

func (c *callCounts) snapshot(reset bool) callReport {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	report := callReport{
		Since:        c.since.UTC(),
		Until:        time.Now().UTC(),
		Total:        c.total.report(),
		Targets:      map[string]targetReport{},
		LastFailures: append([]failure{}, c.recent...),
	}
	for target, counts := range c.targets {
		report.Targets[target] = counts.report()
	}
	if reset {
		c.since = report.Until
		c.recent = nil
		c.total.restart()
		for _, counts := range c.targets {
			counts.restart()
		}
	}
	return report
}

// restart begins a new period; requests in flight are taken along, so that each
// has its outcome in the period in which it ends.
func (c *targetCounts) restart() {
	inFlight := c.inFlight
	*c = newTargetCounts()
	c.inFlight = inFlight
	c.sent = inFlight
}

func (c *targetCounts) report() targetReport {
	report := targetReport{
		Sent: c.sent, OK: c.ok, InFlight: c.inFlight, NotSent: c.notSent, Connections: c.connections,
		FailedBy: map[string]int{}, AnsweredBy: map[string]int{}, LatencyMs: c.latencies.report(),
	}
	for kind, count := range c.failed {
		report.FailedBy[kind] = count
		report.Failed += count
	}
	for name, count := range c.answeredBy {
		report.AnsweredBy[name] = count
	}
	return report
}
