package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"tapwatch/console"
)

// printDiagnosis writes what is wrong, then a table of all.
func printDiagnosis(w io.Writer, exporters []console.ExporterStatus, listen []string) error {
	if len(exporters) == 0 {
		_, err := fmt.Fprintf(w, "No exporter has sent anything in the last day, and the inventory lists none.\n"+
			"Point a router's flow export (NetFlow v5/v9, IPFIX or sFlow) at this machine, UDP %s, and see that no filter drops it.\n",
			strings.Join(listen, " or "))
		return err
	}
	present := slices.DeleteFunc(slices.Clone(exporters), func(e console.ExporterStatus) bool { return e.Status == console.StatusGone })
	p := prescription{w: w, shown: map[string]string{}}
	well := 0
	for i := range present {
		if len(present[i].Faults) == 0 {
			well++
		}
		p.faults(&present[i])
	}
	if err := writeDiagnosis(w, present, "table"); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%d of %d exporters are well.\n", well, len(present))
	if gone := len(exporters) - len(present); gone > 0 {
		fmt.Fprintf(w, "%d more were not heard for a day, and the inventory does not list them: they are left out.\n", gone)
	}
	if p.manyPlatforms {
		fmt.Fprintln(w, "Write platform (ios-xe, ios-xr, junos, sr-os or routeros) for an exporter into the inventory to see its commands alone.")
	}
	return nil
}

// printOne writes all about one exporter.
func printOne(w io.Writer, e console.ExporterStatus) error {
	p := prescription{w: w, shown: map[string]string{}}
	p.faults(&e)
	if err := writeDiagnosis(w, []console.ExporterStatus{e}, "table"); err != nil {
		return err
	}
	if len(e.Notes)+len(e.Faults) == 0 {
		fmt.Fprintf(w, "\n%s is well.\n", exporterName(&e))
	}
	for i, note := range e.Notes {
		if i == 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "Note: %s\n", note)
	}
	return nil
}

// prescription writes faults with what to type against them.
type prescription struct {
	w io.Writer
	// shown is where the same remedy was written already: many routers have the same
	// fault.
	shown map[string]string
	// manyPlatforms says that commands of several platforms were written.
	manyPlatforms bool
}

// faults writes what is wrong with one exporter, a block for each fault.
func (p *prescription) faults(e *console.ExporterStatus) {
	for i := range e.Faults {
		f := &e.Faults[i]
		fmt.Fprintf(p.w, "%s %s\n  %s\n", exporterName(e), f.Title, f.Problem)
		for j := range f.Remedies {
			p.remedy(e, &f.Remedies[j])
		}
		fmt.Fprintln(p.w)
	}
}

// remedy writes one: line by line where one is meant to type it, in one line where it
// is one of several platforms.
func (p *prescription) remedy(e *console.ExporterStatus, r *console.Remedy) {
	text := r.Where + "\n" + strings.Join(r.Lines, "\n")
	if first, ok := p.shown[text]; ok {
		fmt.Fprintf(p.w, "  %s: as for %s above\n", r.Where, first)
		return
	}
	p.shown[text] = exporterName(e)
	if r.Platform != "" && e.Platform == "" {
		p.manyPlatforms = true
		var commands []string
		for _, line := range r.Lines {
			commands = append(commands, strings.TrimSpace(line))
		}
		fmt.Fprintf(p.w, "  %s:  %s\n", r.Where, strings.Join(commands, " | "))
		return
	}
	fmt.Fprintf(p.w, "  %s:\n", r.Where)
	for _, line := range r.Lines {
		fmt.Fprintf(p.w, "    %s\n", line)
	}
}

func exporterName(e *console.ExporterStatus) string {
	address := e.Address.Unmap().String()
	if e.Name == "" {
		return address
	}
	return e.Name + " (" + address + ")"
}
