package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"tapwatch/hunts"
)

// showHunt says all about a hunt.
func showHunt(w io.Writer, h *hunts.Hunt) error {
	fmt.Fprintf(w, "%s: %s\n\n%s\n", h.Name, h.Title, h.Finds)
	if len(h.Techniques) > 0 {
		fmt.Fprintln(w, "\nTechniques:")
		for _, t := range h.Techniques {
			fmt.Fprintf(w, "  %s  %s\n", t.ID, t.Name)
		}
	}
	if len(h.Params) > 0 {
		fmt.Fprintln(w, "\nParameters:")
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, p := range h.Params {
			value := "= " + p.Default
			if p.Required {
				value = "must be given"
			}
			fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", p.Name, typeWords(p.Type), value, p.Comment)
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	fmt.Fprintf(w, "\nRun:\n  tapwatch hunt run %s\n", strings.TrimSpace(h.Name+" "+huntExample(h, "--param ")))
	_, err := fmt.Fprintf(w, "\nSQL:\n%s\n", strings.TrimSpace(h.SQL))
	return err
}

// typeWords says how a value of a type is written.
func typeWords(t hunts.Type) string {
	switch t {
	case hunts.String:
		return "text"
	case hunts.Address:
		return "address (192.0.2.7)"
	case hunts.Prefix:
		return "prefix (192.0.2.0/24)"
	case hunts.Port:
		return "port (22)"
	case hunts.Number:
		return "number (1000)"
	case hunts.Time:
		return "time (24h back, or 2026-03-01T06:00:00Z)"
	case hunts.Duration:
		return "duration (15m)"
	}
	return string(t)
}

// exampleValues are of each type.
var exampleValues = map[hunts.Type]string{
	hunts.String: "TEXT", hunts.Address: "192.0.2.7", hunts.Prefix: "192.0.2.0/24", hunts.Port: "22", hunts.Number: "1000",
	hunts.Time: "24h", hunts.Duration: "15m",
}

// huntExample gives the parameters of a call that works: all that must be given, or the
// first where none must.
func huntExample(h *hunts.Hunt, flag string) string {
	var all []string
	for _, p := range h.Params {
		if p.Required {
			value := exampleValues[p.Type]
			if p.Name == "asset" {
				value = "mdf3-1"
			}
			all = append(all, flag+p.Name+"="+value)
		}
	}
	if len(all) == 0 && len(h.Params) > 0 {
		all = append(all, flag+h.Params[0].Name+"="+exampleOf(h.Params[0]))
	}
	return strings.Join(all, " ")
}

func exampleOf(p hunts.Param) string {
	if p.Default != "" {
		return p.Default
	}
	return exampleValues[p.Type]
}
