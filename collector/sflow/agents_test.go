package sflow

import (
	"encoding/binary"
	"testing"

	"tapwatch/collector"
	"tapwatch/flow"
)

// numbered is a datagram without samples.
func numbered(agent, subAgent, number uint32) []byte {
	var b []byte
	for _, w := range []uint32{version5, 1, agent, subAgent, number, 1000 * number, 0} {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	return b
}

func newSession() *session {
	s, _ := Protocol{}.Sessions(collector.Limits{})().(*session)
	return s
}

// TestLostDatagrams: each sub-agent of each agent has numbers of its own.
func TestLostDatagrams(t *testing.T) {
	s := newSession()
	var b flow.Batch
	var tally collector.Tally
	for number := uint32(100); number < 140; number++ {
		for part := range uint32(4) {
			if part == 1 && number >= 120 && number < 125 {
				continue // lost on the way
			}
			agent, subAgent := 0x0a000001+part>>1, part&1
			s.Decode(&b, &collector.Datagram{Payload: numbered(agent, subAgent, 1000*part+number), Tally: &tally})
		}
	}
	if tally.LostDatagrams != 5 || tally.LateDatagrams != 0 || tally.Restarts != 0 || tally.ByReason() != nil {
		t.Errorf("lost %d, late %d, restarts %d, dropped %v", tally.LostDatagrams, tally.LateDatagrams, tally.Restarts, tally.ByReason())
	}
}

// TestAgentLimit: made-up agents take no memory beyond the limit, and those that
// came before are still followed.
func TestAgentLimit(t *testing.T) {
	s := newSession()
	var b flow.Batch
	var tally collector.Tally
	for number := range uint32(40) {
		s.Decode(&b, &collector.Datagram{Payload: numbered(1, 0, number+number/30), Tally: &tally})
		for i := range uint32(1000) {
			s.Decode(&b, &collector.Datagram{Payload: numbered(2, i, 7*number*i), Tally: &tally})
		}
	}
	if len(s.sequences) != maxAgents {
		t.Errorf("%d agents remembered", len(s.sequences))
	}
	if tally.LostDatagrams == 0 {
		t.Error("the first agent's loss is not seen")
	}
}

// TestSharedScratch: the sessions of a Decoder do not mix.
func TestSharedScratch(t *testing.T) {
	next := Protocol{}.Sessions(collector.Limits{})
	one, _ := next().(*session)
	two, _ := next().(*session)
	if one == two || one.reader != two.reader {
		t.Error("sessions share more, or less, than their scratch space")
	}
	var b flow.Batch
	var tally collector.Tally
	one.Decode(&b, &collector.Datagram{Payload: numbered(1, 0, 1), Tally: &tally})
	if len(one.sequences) != 1 || len(two.sequences) != 0 {
		t.Errorf("%d and %d agents remembered", len(one.sequences), len(two.sequences))
	}
}
