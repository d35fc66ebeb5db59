package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"unsafe"

	"github.com/ebitengine/purego"
)

// childEnv carries the childSpec to the child; its presence makes a process one.
const childEnv = "TAPWATCH_ENGINE_CHILD"

// childSpec is what the child needs to know. It holds no secrets.
type childSpec struct {
	Library string `json:"library"`
	DataDir string `json:"data_dir"`
}

// Main turns the process into the engine if it was started as one, and then never
// returns; otherwise it does nothing. Call it first in main and in TestMain.
func Main() {
	text, ok := os.LookupEnv(childEnv)
	if !ok {
		return
	}
	// Whoever stops tapwatch often signals all of its processes (a terminal, a
	// service manager). The engine must outlast its clients: the end of standard
	// input alone ends it.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	var spec childSpec
	err := json.Unmarshal([]byte(text), &spec)
	if err == nil {
		err = serve(spec)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tapwatch engine:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve runs the engine until standard input ends.
func serve(spec childSpec) error {
	lib, err := purego.Dlopen(spec.Library, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return fmt.Errorf("load the ClickHouse library: %w", err)
	}
	for _, symbol := range []string{"chdb_query_cmdline", "chdb_result_error"} {
		if _, err := purego.Dlsym(lib, symbol); err != nil {
			return fmt.Errorf("the library %s is not one of chdb: %w", spec.Library, err)
		}
	}
	var query func(argc int32, argv unsafe.Pointer) unsafe.Pointer
	var failure func(result unsafe.Pointer) string
	purego.RegisterLibFunc(&query, lib, "chdb_query_cmdline")
	purego.RegisterLibFunc(&failure, lib, "chdb_result_error")

	argv := cStrings(spec.arguments())
	result := query(int32(len(argv)-1), unsafe.Pointer(&argv[0]))
	runtime.KeepAlive(argv)
	if result == nil {
		return errors.New("the engine gave no result")
	}
	if message := failure(result); message != "" {
		return errors.New(message)
	}
	return nil
}

// arguments are those of clickhouse-local. The second queries file is standard
// input: the engine blocks on reading it, and serves meanwhile, until it ends.
func (s childSpec) arguments() []string {
	return []string{
		"clickhouse",
		"--path=" + filepath.Join(s.DataDir, dataFolder),
		"--config-file=" + filepath.Join(s.DataDir, configFile),
		"--log-level=information",
		"--queries-file=" + filepath.Join(s.DataDir, startFile),
		"--queries-file=/dev/stdin",
	}
}

// cStrings makes a NULL-terminated array of C strings in Go's memory.
func cStrings(args []string) []*byte {
	argv := make([]*byte, 0, len(args)+1)
	for _, arg := range args {
		argv = append(argv, unsafe.SliceData(append([]byte(arg), 0)))
	}
	return append(argv, nil)
}
