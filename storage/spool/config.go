package spool

import (
	"errors"

	"tapwatch/internal/config"
)

// Config says where segments are kept and how. Without a Dir it is not valid.
type Config struct {
	// Dir belongs to the spool alone. It is created, for its owner alone.
	Dir string `yaml:"dir"`
	// MaxBytes bounds the files of all segments together; 0 is no bound. When it is
	// reached, the oldest segments that are sealed and not being read are lost.
	MaxBytes    int64       `yaml:"max_bytes"`
	Fsync       Fsync       `yaml:"fsync"`
	Compression Compression `yaml:"compression"`
}

// Validate tells every value that cannot work.
func (c *Config) Validate() error {
	var all []error
	if c.Dir == "" {
		all = append(all, config.Invalid("dir", "is empty"))
	}
	if c.MaxBytes < 0 {
		all = append(all, config.Invalid("max_bytes", "%d is below 0", c.MaxBytes))
	}
	if int(c.Fsync) >= len(fsyncNames) {
		all = append(all, config.Invalid("fsync", "%s is unknown", c.Fsync))
	}
	if int(c.Compression) >= len(compressionNames) {
		all = append(all, config.Invalid("compression", "%s is unknown", c.Compression))
	}
	return errors.Join(all...)
}
