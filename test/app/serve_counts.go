package main

import "sync"

// servedCounts counts the requests of one server. A request belongs to the period
// in which its handler ended, so no request is counted twice or lost by a reset.
type servedCounts struct {
	mutex    sync.Mutex
	inFlight int
	byStatus map[int]int
}

// servedReport is the JSON of a server's counts.
type servedReport struct {
	// Answered is the number of requests answered in this period, whatever the status.
	Answered int `json:"answered"`
	// ByStatus splits Answered by HTTP status.
	ByStatus map[int]int `json:"byStatus"`
	// InFlight is the number of requests whose handler runs now.
	InFlight int `json:"inFlight"`
}

func newServedCounts() *servedCounts {
	return &servedCounts{byStatus: map[int]int{}}
}

func (c *servedCounts) begin() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.inFlight++
}

func (c *servedCounts) end(status int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.inFlight--
	c.byStatus[status]++
}

func (c *servedCounts) report(reset bool) any {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	report := servedReport{ByStatus: map[int]int{}, InFlight: c.inFlight}
	for status, count := range c.byStatus {
		report.ByStatus[status] = count
		report.Answered += count
	}
	if reset {
		c.byStatus = map[int]int{}
	}
	return report
}
