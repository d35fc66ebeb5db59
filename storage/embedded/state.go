package embedded

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"tapwatch/storage"
	"tapwatch/storage/embedded/gateway"
)

// State is what engine.json records: how to reach the engine of a data directory,
// through the gateway. It holds passwords; the file has mode 0600.
type State struct {
	// PID is the process of the engine, 0 while none runs.
	PID      int         `json:"pid"`
	TCPPort  uint16      `json:"tcp_port"`
	HTTPPort uint16      `json:"http_port"`
	Writer   Credentials `json:"writer"`
	Reader   Credentials `json:"reader"`
}

// Credentials are a user of the engine.
type Credentials struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// WriterEndpoint is the engine for the user that may do everything.
func (s State) WriterEndpoint() storage.Endpoint { return s.endpoint(s.Writer) }

// ReaderEndpoint is the engine for the user that may read only.
func (s State) ReaderEndpoint() storage.Endpoint { return s.endpoint(s.Reader) }

func (s State) endpoint(c Credentials) storage.Endpoint {
	return storage.Endpoint{
		Addresses:   []string{loopback(s.TCPPort)},
		HTTPAddress: loopback(s.HTTPPort),
		Database:    storage.DefaultDatabase,
		Username:    c.Username,
		Password:    c.Password,
	}
}

// Running gives the state of the engine that runs on the data directory, and
// whether one does: a live process holds the directory, and its gateway has proved
// to be the one recorded, not another server on an old port. No password is sent.
// An engine that is just being started again after a crash runs too: its gateway
// has clients wait for it.
func Running(dataDir string) (State, bool) {
	s, err := readState(dataDir)
	if err != nil || s.PID == 0 || !held(dataDir) {
		return State{}, false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if s.identity().Ask(ctx) != nil {
		return State{}, false
	}
	return s, true
}

// identity is that of the gateway in front of the engine. Only the writer may
// impersonate it.
func (s State) identity() gateway.Identity {
	return gateway.Identity{Secret: s.Writer.Password, Native: loopback(s.TCPPort), Web: loopback(s.HTTPPort)}
}

// loadState gives the recorded state of the data directory, or a new one with new
// passwords. They last as long as the directory, so that Grafana keeps its access.
func loadState(dataDir string) (State, error) {
	s, err := readState(dataDir)
	if errors.Is(err, fs.ErrNotExist) {
		return State{
			Writer: Credentials{"tapwatch", rand.Text()},
			Reader: Credentials{"reader", rand.Text()},
		}, nil
	}
	s.PID = 0
	return s, err
}

func readState(dataDir string) (State, error) {
	path := filepath.Join(dataDir, stateFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return State{}, err
	}
	var s State
	if err := json.Unmarshal(data, &s); err != nil {
		return State{}, fmt.Errorf("%s is damaged (%w): remove it to have new passwords made", path, err)
	}
	return s, nil
}

// save replaces engine.json at once, so that no reader sees half of it.
func (s State) save(dataDir string) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(dataDir, stateFile)
	if err := os.WriteFile(path+".new", append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("record the engine's state: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("record the engine's state: %w", err)
	}
	return nil
}
