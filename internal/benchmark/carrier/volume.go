package carrier

import "time"

// The network that RateFor looks at, and how.
const (
	sampledRate    = 500.0
	sampledSpans   = 24
	sampledSeconds = 10
	// machines is how many records a second are those of machines at any hour and rate
	// (simulate.Config.Rate).
	machines = 10.0
	// leastRate is the least that package simulate takes.
	leastRate = 30.0
)

// RateFor is the rate of the network that exports about so many records in span before
// until: people's part of them comes and goes with the hours, which it finds by looking
// at a small network for some seconds at a time.
func RateFor(records int, until time.Time, span time.Duration) (float64, error) {
	begin := until.Add(-span)
	n, err := Network(begin, sampledRate)
	if err != nil {
		return 0, err
	}
	spans := max(1, min(sampledSpans, int(span/(sampledSeconds*time.Second))))
	seen := 0
	for i := range spans {
		from := begin.Add(span * time.Duration(2*i+1) / time.Duration(2*spans))
		for range n.Records(from, from.Add(sampledSeconds*time.Second)) {
			seen++
		}
	}
	mean := float64(seen) / float64(spans*sampledSeconds)
	people := (mean - machines) / (sampledRate - machines) // of the rate, on average
	wanted := float64(records) / span.Seconds()
	return max(leastRate, machines+(wanted-machines)/people), nil
}
