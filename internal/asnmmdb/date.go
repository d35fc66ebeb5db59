package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// version is how ip-location-db numbers its packages: 2.3.2026061719 is of
// 2026-06-17, 19 h UTC.
var version = regexp.MustCompile(`^\d+\.\d+\.(\d{10})$`)

// buildDate gives the date asked for, or the one of the package that file is in.
func buildDate(date, file string) (time.Time, error) {
	if date != "" {
		built, err := time.Parse(time.DateOnly, date)
		if err != nil {
			return time.Time{}, fmt.Errorf("-date %q is not a date such as 2026-06-17", date)
		}
		return built, nil
	}
	built, err := packageDate(filepath.Join(filepath.Dir(file), "package.json"))
	if err != nil {
		return time.Time{}, fmt.Errorf("when was %s built? give -date: %w", file, err)
	}
	return built, nil
}

func packageDate(file string) (time.Time, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return time.Time{}, err
	}
	var p struct{ Version string }
	if err := json.Unmarshal(data, &p); err != nil {
		return time.Time{}, fmt.Errorf("%s: %w", file, err)
	}
	m := version.FindStringSubmatch(p.Version)
	if m == nil {
		return time.Time{}, errors.New(file + ": version " + p.Version + " holds no date")
	}
	return time.Parse("2006010215", m[1])
}
