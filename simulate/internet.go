package simulate

import (
	"bufio"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// internetRange is a row of internet.csv.
type internetRange struct {
	prefix netip.Prefix
	as     uint32
	use    string
	weight int
}

// internet is the address ranges outside the carrier, and how to draw from them.
type internet struct {
	ranges []internetRange
	// byUse holds, for each use and IP version, the ranges with running totals of
	// their weights.
	byUse map[useKey]*weighted
}

type useKey struct {
	use string
	ip6 bool
}

type weighted struct {
	ranges []internetRange
	totals []int
}

// parseInternet reads internet.csv; its comments explain the columns.
func parseInternet(text string) (*internet, error) {
	net := &internet{byUse: map[useKey]*weighted{}}
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		line := s.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		r, err := parseRange(line)
		if err != nil {
			return nil, fmt.Errorf("internet range %q: %w", line, err)
		}
		net.ranges = append(net.ranges, r)
		key := useKey{r.use, r.prefix.Addr().Is6()}
		w, ok := net.byUse[key]
		if !ok {
			w = &weighted{}
			net.byUse[key] = w
		}
		w.add(r)
	}
	return net, nil
}

func parseRange(line string) (internetRange, error) {
	columns := strings.Split(line, ",")
	if len(columns) != 5 {
		return internetRange{}, fmt.Errorf("%d columns, not 5", len(columns))
	}
	prefix, err := netip.ParsePrefix(columns[0])
	if err != nil {
		return internetRange{}, err
	}
	as, err := strconv.ParseUint(columns[1], 10, 32)
	if err != nil {
		return internetRange{}, err
	}
	weight, err := strconv.Atoi(columns[4])
	if err != nil {
		return internetRange{}, err
	}
	return internetRange{prefix: prefix.Masked(), as: uint32(as), use: columns[3], weight: weight}, nil
}

func (w *weighted) add(r internetRange) {
	total := 0
	if len(w.totals) > 0 {
		total = w.totals[len(w.totals)-1]
	}
	w.ranges = append(w.ranges, r)
	w.totals = append(w.totals, total+r.weight)
}

// draw picks an address of the given use.
func (i *internet) draw(d *dice, use string, ip6 bool) netip.Addr {
	w := i.byUse[useKey{use, ip6}]
	pick := d.IntN(w.totals[len(w.totals)-1])
	for j, total := range w.totals {
		if pick < total {
			return d.host(w.ranges[j].prefix)
		}
	}
	panic("simulate: a draw beyond the total weight")
}
