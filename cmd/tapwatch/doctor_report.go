package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"tapwatch/console"
)

// strangersShown is how many strangers are shown of many: they are mostly noise, but a
// router that nobody listed yet is one of them too.
const strangersShown = 5

// printDiagnosis writes what is wrong, then a table: exporters that are listed or send
// what can be read first, then strangers, unless all is set a few.
func printDiagnosis(w io.Writer, exporters []console.ExporterStatus, listen []string, all bool) error {
	if len(exporters) == 0 {
		_, err := fmt.Fprintf(w, "No exporter has sent anything in the last day, and the inventory lists none.\n"+
			"Point a router's flow export (NetFlow v5/v9, IPFIX or sFlow) at this machine, UDP %s, and see that no filter drops it.\n",
			strings.Join(listen, " or "))
		return err
	}
	present := slices.DeleteFunc(slices.Clone(exporters), func(e console.ExporterStatus) bool { return e.Status == console.StatusGone })
	gone := len(exporters) - len(present)
	slices.SortStableFunc(present, strangersLast)
	known := len(present)
	if i := slices.IndexFunc(present, func(e console.ExporterStatus) bool { return e.IsStranger() }); i >= 0 {
		known = i
	}
	strangers := len(present) - known
	if !all {
		present = present[:known+min(strangers, strangersShown)]
	}
	p := prescription{w: w, shown: map[string]string{}}
	well := 0
	for i := range present {
		if i < known && len(present[i].Faults) == 0 {
			well++
		}
		p.faults(&present[i])
	}
	if err := writeDiagnosis(w, present, "table"); err != nil {
		return err
	}
	if more := known + strangers - len(present); more > 0 {
		fmt.Fprintf(w, "and %d more that the inventory does not list and of which nothing could be taken: --all shows them\n", more)
	}
	fmt.Fprintln(w)
	if known > 0 {
		fmt.Fprintf(w, "%d of %d exporters are well.\n", well, known)
	}
	if strangers > 0 {
		fmt.Fprintf(w, "Senders that the inventory does not list and of which nothing could be taken: %d.\n", strangers)
	}
	if gone > 0 {
		fmt.Fprintf(w, "%d more that the inventory does not list have stopped, and are left out.\n", gone)
	}
	if p.manyPlatforms {
		fmt.Fprintln(w, "Write platform (ios-xe, ios-xr, junos, sr-os or routeros) for an exporter into the inventory to see its commands alone.")
	}
	return nil
}

// strangersLast puts strangers last, those that send most before the others.
func strangersLast(a, b console.ExporterStatus) int {
	switch {
	case a.IsStranger() && b.IsStranger():
		return cmp.Compare(b.Datagrams, a.Datagrams)
	case a.IsStranger():
		return 1
	case b.IsStranger():
		return -1
	}
	return 0
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
