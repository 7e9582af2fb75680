package main

import (
	"math/bits"
	"sort"
	"time"
)

// latencies keeps durations in buckets no wider than 1/32 of their value, so that
// any number of requests costs constant memory.
type latencies struct {
	buckets map[uint64]int
	count   int
	longest time.Duration
}

// latencyReport is in milliseconds; a percentile is the upper end of its bucket,
// at most 3.2 percent above the true value.
type latencyReport struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func newLatencies() latencies {
	return latencies{buckets: map[uint64]int{}}
}

func (l *latencies) add(duration time.Duration) {
	l.buckets[bucketEnd(uint64(duration.Microseconds()))]++
	l.count++
	l.longest = max(l.longest, duration)
}

func (l *latencies) report() latencyReport {
	ends := make([]uint64, 0, len(l.buckets))
	for end := range l.buckets {
		ends = append(ends, end)
	}
	sort.Slice(ends, func(i, j int) bool { return ends[i] < ends[j] })
	longest := float64(l.longest.Microseconds()) / 1000
	percentile := func(share float64) float64 {
		seen := 0
		for _, end := range ends {
			seen += l.buckets[end]
			if float64(seen) >= share*float64(l.count) {
				return min(float64(end)/1000, longest)
			}
		}
		return 0
	}
	return latencyReport{P50: percentile(0.5), P90: percentile(0.9), P99: percentile(0.99), Max: longest}
}

// bucketEnd is the largest value of the bucket that holds the value: 32 buckets
// for every power of two.
func bucketEnd(value uint64) uint64 {
	shift := max(bits.Len64(value)-6, 0)
	return value>>shift<<shift + (1<<shift - 1)
}
