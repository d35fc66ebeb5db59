package pairs

import (
	"context"
	"time"

	"tapwatch/detect"
)

// Conversations are what the sessions of the keys in the window add up to, the largest
// part of each: of sessions of one pair some may not tell who opened them.
func Conversations(ctx context.Context, h detect.History, w detect.Window, keys []Key) (map[Key]detect.Conversation, error) {
	sessions, err := Sessions(ctx, h, w, keys)
	if err != nil {
		return nil, err
	}
	return Largest(sessions), nil
}

// Largest folds sessions as Conversations does.
func Largest(sessions []detect.Session) map[Key]detect.Conversation {
	most := map[Key]detect.Conversation{}
	byKey := map[Key][]detect.Session{}
	for _, s := range sessions {
		byKey[Of(&s)] = append(byKey[Of(&s)], s)
	}
	for k, list := range byKey {
		for _, c := range detect.Converse(list, nil, true) {
			if c.AssetAddr != k.Asset {
				c = c.Turned()
			}
			if c.Flows > most[k].Flows {
				most[k] = c
			}
		}
	}
	return most
}

// Conversation is the pair alone, without what its sessions carried: for where these are
// no longer stored.
func (r *Row) Conversation(first, last time.Time) detect.Conversation {
	return detect.Conversation{
		AssetAddr: r.AssetAddr.Unmap(), PeerAddr: r.PeerAddr.Unmap(), Protocol: r.Protocol, Port: r.Port,
		Initiator: r.Initiator, AssetServes: r.Serves, Established: true, Answered: true, FirstSeen: first, LastSeen: last, StartedAt: first,
		AssetZone: r.AssetZone, AssetZoneKind: r.AssetKind, AssetName: r.AssetName, AssetRole: r.AssetRole,
		PeerZone: r.PeerZone, PeerZoneKind: r.PeerKind, PeerName: r.PeerName, PeerRole: r.PeerRole,
		PeerCountry: r.Country, PeerASN: r.ASN, PeerASOrg: r.ASOrg,
	}
}
