package console

import (
	"slices"
	"strings"

	"tapwatch/alert"
)

// matches tells whether a live alert belongs to what the filters of q select, as
// storage decides it for stored ones (storage/alertfilter.go). Times, versions and limits
// do not count.
func matches(q alert.Query, a *alert.Alert) bool {
	return a.Severity >= q.MinSeverity &&
		(q.Detector == "" || q.Detector == a.Detector) &&
		(q.Zone == "" || q.Zone == a.Asset.Zone || q.Zone == a.Peer.Zone) &&
		(q.Asset == "" || q.Asset == a.Asset.Asset || q.Asset == a.Peer.Asset) &&
		(q.Country == "" || q.Country == a.Peer.Country) &&
		(q.Text == "" || contains(a, q.Text)) &&
		(q.IDs == nil || slices.Contains(q.IDs, a.ID)) &&
		matchesSilenced(q, a)
}

func matchesSilenced(q alert.Query, a *alert.Alert) bool {
	if q.Silenced == alert.WithSilenced {
		return true
	}
	under := slices.ContainsFunc(q.Silences, func(s alert.Silence) bool { return s.Covers(a) })
	return under == (q.Silenced == alert.OnlySilenced)
}

func contains(a *alert.Alert, text string) bool {
	text = strings.ToLower(text)
	in := []string{a.Title, a.Summary}
	for _, p := range []alert.Party{a.Asset, a.Peer} {
		in = append(in, p.Asset, p.Zone, p.ASOrg)
		if p.Addr.IsValid() {
			in = append(in, p.Addr.String())
		}
	}
	for _, s := range in {
		if strings.Contains(strings.ToLower(s), text) {
			return true
		}
	}
	return false
}
