package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// LibraryEnv names the environment variable that gives the path of the library
// where the configuration does not.
const LibraryEnv = "TAPWATCH_LIBCHDB"

// libraryPackages are the npm packages that carry the library, by platform.
var libraryPackages = map[string]string{
	"linux/amd64":  "lib-linux-x64-gnu",
	"linux/arm64":  "lib-linux-arm64-gnu",
	"darwin/amd64": "lib-darwin-x64",
	"darwin/arm64": "lib-darwin-arm64",
}

// FindLibrary gives the absolute path of libchdb.so: the configured one, else that
// of LibraryEnv, else node_modules/@chdb/… in the working directory, in the
// directory of the executable, or in a parent of either. The error lists the
// places looked at and the remedy.
func FindLibrary(configured string) (string, error) {
	for _, given := range []struct{ from, path string }{
		{"storage.embedded.library", configured},
		{LibraryEnv, os.Getenv(LibraryEnv)},
	} {
		if given.path == "" {
			continue
		}
		if !isFile(given.path) {
			return "", fmt.Errorf("the ClickHouse library %s, given by %s, does not exist: run `make setup`, or correct the path", given.path, given.from)
		}
		return filepath.Abs(given.path)
	}
	platform := runtime.GOOS + "/" + runtime.GOARCH
	pkg, ok := libraryPackages[platform]
	if !ok {
		return "", fmt.Errorf("there is no ClickHouse library for %s: give the address of a ClickHouse server in storage.clickhouse.addresses", platform)
	}
	places := libraryPlaces(pkg)
	for _, place := range places {
		if isFile(place) {
			return place, nil
		}
	}
	return "", fmt.Errorf("the ClickHouse library is missing: run `make setup`, or set storage.embedded.library or %s; looked for\n  %s",
		LibraryEnv, strings.Join(places, "\n  "))
}

// libraryPlaces are the paths where the npm package may have been installed, the
// nearest first.
func libraryPlaces(pkg string) []string {
	var places []string
	seen := map[string]bool{}
	for _, start := range searchStarts() {
		for dir := start; !seen[dir]; dir = filepath.Dir(dir) {
			seen[dir] = true
			places = append(places, filepath.Join(dir, "node_modules", "@chdb", pkg, "libchdb.so"))
		}
	}
	return places
}

func searchStarts() []string {
	var starts []string
	if dir, err := os.Getwd(); err == nil {
		starts = append(starts, dir)
	}
	if exe, err := os.Executable(); err == nil {
		starts = append(starts, filepath.Dir(exe))
	}
	return starts
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
