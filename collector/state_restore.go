package collector

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"
)

// restore gives the workers what the file holds. It is to be called before they get
// any datagram. Whatever is wrong with the file, the collector starts: it is told, and
// the file set aside.
func (k *stateKeeper) restore() {
	if k.file == "" {
		return
	}
	now := k.now()
	if err := removeLeftovers(k.file, now); err != nil {
		k.logger.Warn("cannot remove what was left of writing the state", "file", k.file, "error", err)
	}
	if err := CheckStateFile(k.file); err != nil {
		k.logger.Warn("state will not be kept: after a restart no exporter will be understood until it sends its templates again",
			"setting", "collector.state_file", "error", err)
	}
	all, damaged, err := readStateFile(k.file)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		const lost = "state not restored: no exporter is understood until it sends its templates again"
		if aside := k.setAside(); aside != "" {
			k.logger.Error(lost+"; repair what it was set aside as, put it back and restart, or remove it", "file", k.file, "set_aside_as", aside, "error", err)
		} else {
			k.logger.Error(lost, "file", k.file, "error", err)
		}
		return
	}
	left, bad := k.giveAll(all, now)
	k.tell(left)
	if damaged.add(bad); damaged.first != nil {
		k.logger.Error("state file damaged: the rest of it is restored; some exporters are not understood until they send their templates again",
			"file", k.file, "set_aside_as", k.setAside(), "exporters", damaged.exporters, "error", damaged.first)
		k.save() // nothing else holds the rest now
	}
}

// giveAll gives the workers the state of their exporters. left is how many exporters
// were left out for which reason.
func (k *stateKeeper) giveAll(all []exporterState, now time.Time) (left map[error]int, bad damage) {
	// Those heard last come first: see Decoder.restore.
	slices.SortStableFunc(all, func(a, b exporterState) int { return b.LastReceivedAt.Compare(a.LastReceivedAt) })
	left = make(map[error]int)
	for i := range all {
		switch err := k.give(&all[i], now); err {
		case nil:
		case errAged, errUnlisted, errNoRoom, errNothing:
			left[err]++
		default:
			bad.add(damage{1, err})
		}
	}
	return left, bad
}

// give gives an exporter's state to its worker.
func (k *stateKeeper) give(s *exporterState, now time.Time) error {
	w := k.workerOf(s.Exporter.Unmap().WithZone(""))
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.decoder.restore(s, now)
}

// tell says what was restored, and how many exporters were left out why.
func (k *stateKeeper) tell(left map[error]int) {
	exporters, templates := 0, 0
	for _, w := range k.workers {
		w.mu.Lock()
		exporters += len(w.decoder.table.byAddr)
		templates += w.decoder.templates()
		w.mu.Unlock()
	}
	k.restored.Set(float64(exporters))
	k.logger.Info("state restored", "file", k.file, "exporters", exporters, "templates", templates,
		"left_aged", left[errAged], "left_unlisted", left[errUnlisted], "left_empty", left[errNothing])
	if n := left[errNoRoom]; n > 0 {
		k.logger.Warn("state of some exporters not restored: there is no room; raise collector.limits.max_exporters, or list them in the inventory",
			"exporters", n)
	}
}

// setAside renames a file that cannot be used, so that saving does not overwrite it,
// and gives its new name; empty if it stays where it is.
func (k *stateKeeper) setAside() string {
	info, err := os.Stat(k.file)
	if err != nil || !info.Mode().IsRegular() {
		return "" // a folder, say: nothing that saving could overwrite
	}
	aside := k.file + ".damaged"
	for n := 2; ; n++ { // one set aside earlier may be wanted still
		if _, err := os.Lstat(aside); err != nil {
			break
		}
		aside = fmt.Sprintf("%s.damaged.%d", k.file, n)
	}
	if err := os.Rename(k.file, aside); err != nil {
		k.logger.Error("cannot set the damaged state file aside", "file", k.file, "error", err)
		return ""
	}
	return aside
}

// readStateFile reads the state file.
func readStateFile(path string) (all []exporterState, damaged damage, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, damaged, err
	}
	defer func() { _ = f.Close() }()
	return readState(f)
}
