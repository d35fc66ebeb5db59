package alert

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"time"
	"unicode/utf8"
)

// FieldError says what is wrong with one field of a silence or an approval.
type FieldError struct {
	// Field is its name in JSON.
	Field string
	// Problem says what is wrong, Remedy what to do; both are sentences.
	Problem, Remedy string
}

// Error gives all of it in one line.
func (e *FieldError) Error() string { return e.Field + ": " + e.Problem + " " + e.Remedy }

// NewID makes an identity for what a person enters: 64 random bits.
func NewID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// Bounds of what a person enters.
const (
	maxWords = 500 // of reasons
	maxName  = 200 // of owners, tickets and names
)

// sayWhy checks a reason and an owner, who both must be told.
func sayWhy(reason, owner string) error {
	if strings.TrimSpace(owner) == "" {
		return &FieldError{"owner", "It is missing.", "Say who answers for it: a person or a team that can be asked."}
	}
	if strings.TrimSpace(reason) == "" {
		return &FieldError{"reason", "It is missing.", "Say why, for whoever reads it in a year."}
	}
	return within(map[string]string{"owner": owner}, maxName, within(map[string]string{"reason": reason}, maxWords, nil))
}

// within checks the lengths of texts; err, if any, goes before.
func within(texts map[string]string, most int, err error) error {
	for field, text := range texts {
		switch {
		case err != nil:
			return err
		case len(text) > most:
			return &FieldError{field, "It is too long.", "Use fewer words."}
		case !utf8.ValidString(text):
			return &FieldError{field, "It is not UTF-8.", "Send it as UTF-8."}
		}
	}
	return err
}

// ends checks a date of expiry, which must be told.
func ends(created, expires time.Time, days int, remedy string) error {
	switch {
	case expires.IsZero():
		return &FieldError{"expires_at", "It is missing.", remedy}
	case !expires.After(created):
		return &FieldError{"expires_at", "It is in the past.", remedy}
	case expires.Sub(created) > time.Duration(days)*24*time.Hour:
		return &FieldError{"expires_at", "It is too far away.", remedy}
	}
	return nil
}
