package embedded

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the templates below
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/template"

	"tapwatch/storage"
)

// Names below the data directory.
const (
	lockFile   = "lock"
	stateFile  = "engine.json"
	configFile = "config.xml"
	usersFile  = "users.xml"
	startFile  = "start.sql"
	outputFile = "log/start.log"
	logFolder  = "log"
	dataFolder = "clickhouse"
)

// startStatements open the listeners. TCP first: when HTTP answers, both do.
const startStatements = "SYSTEM START LISTEN TCP; SYSTEM START LISTEN HTTP;\n"

// systemDatabase makes the database system one on disk. Left alone, the engine
// keeps it in memory, and after a restart its logs trip over their own directories
// of the run before, in a loop that fills the disk with error messages.
const systemDatabase = "ATTACH DATABASE _ UUID '7a0f3c52-3d1e-4d0b-9c55-5d8f6a0c7e10'\nENGINE = Atomic\n"

//go:embed config.xml.tmpl
var configTemplate string

//go:embed users.xml.tmpl
var usersTemplate string

// fileValues fill the two templates.
type fileValues struct {
	Config
	State
	UsersFile, LogDir string
	Sockets           sockets
	MergeThreads      int
	ReaderMemoryBytes uint64
	// ReaderSpillBytes is from where on groups and sorts go to disk.
	ReaderSpillBytes uint64
}

// minReaderMemory bounds one query of the reader on a small machine, where the engine's
// memory is not configured.
const minReaderMemory = 1 << 30

// readerMemory is what one query of the reader may take: half of the engine's memory
// where that is configured, else a quarter of the machine's.
func readerMemory(cfg Config) uint64 {
	if cfg.MaxMemoryBytes != 0 {
		return cfg.MaxMemoryBytes / 2
	}
	return max(minReaderMemory, machineMemory()/4)
}

// writeFiles writes what the engine reads at its start.
func writeFiles(dataDir string, cfg Config, state State, at sockets) error {
	values := fileValues{
		Config: cfg, State: state,
		UsersFile: filepath.Join(dataDir, usersFile), LogDir: filepath.Join(dataDir, logFolder),
		Sockets:           at,
		MergeThreads:      min(max(runtime.NumCPU(), 2), 16),
		ReaderMemoryBytes: readerMemory(cfg),
		ReaderSpillBytes:  readerMemory(cfg) / 3,
	}
	return errors.Join(
		writeTemplate(filepath.Join(dataDir, configFile), configTemplate, values),
		writeTemplate(filepath.Join(dataDir, usersFile), usersTemplate, values),
		os.WriteFile(filepath.Join(dataDir, startFile), []byte(startStatements), 0o600),
		writeSystemDatabase(filepath.Join(dataDir, dataFolder, "metadata", "system.sql")),
	)
}

// writeSystemDatabase leaves a file alone that the engine has already taken over.
func writeSystemDatabase(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(systemDatabase), 0o600)
}

func writeTemplate(path, text string, values fileValues) error {
	t, err := template.New(filepath.Base(path)).Funcs(template.FuncMap{"xml": escapeXML, "sha256": hexSHA256, "host": hostOf, "port": portOfEndpoint}).Parse(text)
	if err != nil {
		return fmt.Errorf("parse the template of %s: %w", path, err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, values); err != nil {
		return fmt.Errorf("fill in %s: %w", path, err)
	}
	return os.WriteFile(path, out.Bytes(), 0o600)
}

func escapeXML(text string) (string, error) {
	var s strings.Builder
	err := xml.EscapeText(&s, []byte(text))
	return s.String(), err
}

func hexSHA256(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// escapeFileName names files of databases as ClickHouse does: all but letters,
// digits and underscores as %XX (src/Common/escapeForFileName.cpp).
func escapeFileName(name string) string {
	var s strings.Builder
	for _, b := range []byte(name) {
		switch {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '_':
			s.WriteByte(b)
		default:
			fmt.Fprintf(&s, "%%%02X", b)
		}
	}
	return s.String()
}

// hostOf and portOfEndpoint are the parts of the first address of an endpoint.
func hostOf(e storage.Endpoint) (string, error) {
	host, _, err := net.SplitHostPort(e.Addresses[0])
	return host, err
}

func portOfEndpoint(e storage.Endpoint) (string, error) {
	_, port, err := net.SplitHostPort(e.Addresses[0])
	return port, err
}
