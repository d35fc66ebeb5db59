package policy

import (
	"cmp"
	"slices"

	"tapwatch/alert"
	"tapwatch/detect"
)

// hit is a conversation that the inventory does not allow.
type hit struct {
	*detect.Conversation
	verdict verdict
	// id is the identity of the finding that it is, or is part of, on its own.
	id string
}

// subject is whose findings of a rule are counted: an asset of a zone by name, or
// an address of it that no asset owns; an address that talks with the zone; or, if
// neither is named, all addresses of the zone that no asset owns.
type subject struct{ rule, zone, asset, peer string }

func ofAsset(h hit) subject {
	return subject{rule: h.verdict.rule, zone: h.AssetZone, asset: h.Asset().Name()}
}

func ofPeer(h hit) subject {
	return subject{rule: h.verdict.rule, zone: h.AssetZone, peer: h.PeerAddr.String()}
}

// ofZone counts the addresses that no asset owns together: there may be very many.
func ofZone(h hit) subject {
	if h.AssetName != "" {
		return ofAsset(h)
	}
	return subject{rule: h.verdict.rule, zone: h.AssetZone}
}

// ofLarger is the asset or the peer, whichever has more findings of the hits: who
// sweeps, and not who is swept.
func ofLarger(hits []hit) func(hit) subject {
	size := map[subject]int{}
	seen := map[string]bool{}
	for _, h := range hits {
		if !seen[h.id] {
			seen[h.id] = true
			size[ofAsset(h)]++
			size[ofPeer(h)]++
		}
	}
	return func(h hit) subject {
		if asset, peer := ofAsset(h), ofPeer(h); size[peer] <= size[asset] {
			return asset
		}
		return ofPeer(h)
	}
}

// sweep is what one subject did beyond the limit of findings of their own.
type sweep struct {
	subject
	limit int
	hits  []hit
}

// gather leaves each subject at most limit findings of their own and puts the rest
// into one sweep for each. Both come in an order that depends on the hits alone.
func gather(hits []hit, limit int) (alone []hit, sweeps []*sweep) {
	alone = hits
	index := map[subject]*sweep{}
	for _, of := range []func(hit) subject{ofLarger(hits), ofAsset, ofPeer, ofZone} {
		kept := heaviest(alone, limit, of)
		var left []hit
		for _, h := range alone {
			if kept[h.id] {
				left = append(left, h)
				continue
			}
			s := index[of(h)]
			if s == nil {
				s = &sweep{subject: of(h), limit: limit}
				index[s.subject], sweeps = s, append(sweeps, s)
			}
			s.hits = append(s.hits, h)
		}
		alone = left
	}
	return alone, sweeps
}

// heaviest are the identities of each subject's limit worst findings: of the
// highest severity, then with the most bytes, then the first.
func heaviest(hits []hit, limit int, of func(hit) subject) map[string]bool {
	type weight struct {
		id       string
		severity alert.Severity
		bytes    uint64
	}
	findings := map[subject][]*weight{}
	index := map[string]*weight{}
	for _, h := range hits {
		w := index[h.id]
		if w == nil {
			w = &weight{id: h.id}
			index[h.id] = w
			findings[of(h)] = append(findings[of(h)], w)
		}
		w.severity, w.bytes = max(w.severity, h.verdict.severity), w.bytes+h.BytesIn+h.BytesOut
	}
	kept := map[string]bool{}
	for _, all := range findings {
		slices.SortStableFunc(all, func(a, b *weight) int {
			return cmp.Or(cmp.Compare(b.severity, a.severity), cmp.Compare(b.bytes, a.bytes))
		})
		for _, w := range all[:min(limit, len(all))] {
			kept[w.id] = true
		}
	}
	return kept
}
