// Package scenario describes intrusions into the simulated carrier network, as
// data: what the intruder does, when, and what a detector should make of it.
// Package simulate turns them into flow records.
package scenario

import (
	"fmt"
	"time"
)

// Plan is the intrusions of one simulation. An empty Plan is a quiet network.
type Plan []Intrusion

// Intrusion is one campaign against one protected system: its ground truth, and
// the steps it consists of.
type Intrusion struct {
	// ID names it, in kebab case, uniquely in its Plan.
	ID string
	// Description says in a sentence or two what the intruder does.
	Description string
	// Actors are the addresses that the intruder works from.
	Actors []string
	// Asset is the protected system of the inventory that it is about.
	Asset string
	// Detectors are the detectors that ought to raise an alert.
	Detectors []string
	// Tradecraft are the rows of the project's threat catalogue that it shows (T2,
	// T13), Techniques the MITRE ATT&CK techniques (T1571).
	Tradecraft, Techniques []string
	Steps                  []Step
}

// Step is one thing the intruder does, once or again and again: a conversation
// between two addresses, or with Silence set, a router kept from exporting.
type Step struct {
	// After is when the step begins, counted from the start of the simulation.
	After time.Duration
	// For is how long one conversation lasts, or the silence; a conversation is
	// exported in parts of the routers' active timeout. 0 of a silence: for good.
	For time.Duration
	// Every repeats the step until Until, both counted like After; 0: once. Jitter
	// delays each repetition at random by up to that share of Every (0 to 1).
	Every, Until time.Duration
	Jitter       float64

	// Client opens the conversation. Both ends are an asset of the inventory or an
	// address.
	Client, Server string
	// Protocol is the IP protocol number, Port the server's port.
	Protocol uint8
	Port     uint16
	// Sent goes from client to server and Received back, in bytes, in each
	// conversation.
	Sent, Received uint64

	// Silence names a router that exports nothing meanwhile.
	Silence string

	// Say tells a spectator what happens, at the step's first time, in one plain
	// sentence without a time.
	Say string
}

// IP protocol numbers of steps.
const (
	TCP = 6
	UDP = 17
	GRE = 47
)

// Validate names the intrusion and the step that make no sense.
func (p Plan) Validate() error {
	seen := map[string]bool{}
	for _, in := range p {
		if in.ID == "" || seen[in.ID] {
			return fmt.Errorf("intrusion id %q is empty or used twice", in.ID)
		}
		seen[in.ID] = true
		if len(in.Steps) == 0 {
			return fmt.Errorf("intrusion %s has no steps", in.ID)
		}
		for i := range in.Steps {
			if err := in.Steps[i].validate(); err != nil {
				return fmt.Errorf("intrusion %s, step %d: %w", in.ID, i+1, err)
			}
		}
	}
	return nil
}

func (s *Step) validate() error {
	switch {
	case s.After < 0 || s.For < 0 || s.Every < 0:
		return fmt.Errorf("a time is negative")
	case s.Jitter < 0 || s.Jitter > 1:
		return fmt.Errorf("jitter %g is not between 0 and 1", s.Jitter)
	case s.Every > 0 && s.Until <= s.After:
		return fmt.Errorf("it repeats until %s, before it begins at %s", s.Until, s.After)
	case s.Silence != "":
		return nil
	case s.Client == "" || s.Server == "":
		return fmt.Errorf("a conversation needs a client and a server")
	case s.For == 0:
		return fmt.Errorf("a conversation needs a duration")
	case s.Sent == 0 && s.Received == 0:
		return fmt.Errorf("a conversation needs bytes")
	}
	return nil
}

// Repetitions is how many times the step is done: at least once.
func (s *Step) Repetitions() int {
	if s.Every == 0 {
		return 1
	}
	return int((s.Until-s.After-1)/s.Every) + 1
}
