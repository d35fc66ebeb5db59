// Package config reads YAML files strictly: an unknown key or a bad value is an
// error that names file, line and column.
package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Error is a mistake in a configuration file.
type Error struct {
	File         string
	Line, Column int // from 1; 0 unknown
	Key          string
	Message      string
}

// Error gives "file:line:column: key: message".
func (e *Error) Error() string {
	var s strings.Builder
	s.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&s, ":%d:%d", e.Line, e.Column)
	}
	if e.Key != "" {
		fmt.Fprintf(&s, ": %s", e.Key)
	}
	fmt.Fprintf(&s, ": %s", e.Message)
	return s.String()
}

// KeyError is what a Validate method returns for one bad value. Several are
// joined with errors.Join.
type KeyError struct {
	// Key is the path of the value below the validated struct, as in YAML:
	// "listen[0].port".
	Key     string
	Message string
}

// Error gives "key: message".
func (e *KeyError) Error() string { return e.Key + ": " + e.Message }

// Invalid makes a KeyError.
func Invalid(key, format string, args ...any) error {
	return &KeyError{Key: key, Message: fmt.Sprintf(format, args...)}
}

// Under moves every KeyError in err below the key prefix. Other errors become a
// KeyError at the prefix itself. A nil err stays nil.
func Under(prefix string, err error) error {
	var moved []error
	for _, e := range flatten(err) {
		var k *KeyError
		switch {
		case !errors.As(e, &k):
			moved = append(moved, &KeyError{Key: prefix, Message: e.Error()})
		case strings.HasPrefix(k.Key, "["):
			moved = append(moved, &KeyError{Key: prefix + k.Key, Message: k.Message})
		default:
			moved = append(moved, &KeyError{Key: prefix + "." + k.Key, Message: k.Message})
		}
	}
	return errors.Join(moved...)
}

func flatten(err error) []error {
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, flatten(e)...)
	}
	return all
}

// ReadFile decodes the YAML file into dst, which holds the defaults, and calls its
// Validate method if it has one. Every mistake in the file is an *Error; several
// are joined.
func ReadFile(file string, dst any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return Decode(file, data, dst)
}

// Decode is ReadFile for data already read; file is named in errors.
func Decode(file string, data []byte, dst any) error {
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		return located(file, err)
	}
	if len(tree.Docs) > 0 && tree.Docs[0].Body != nil {
		if err := yaml.UnmarshalWithOptions(data, dst, yaml.Strict(), yaml.CustomUnmarshaler(unmarshalDuration)); err != nil {
			return locatedDuration(file, tree, err)
		}
	}
	v, ok := dst.(interface{ Validate() error })
	if !ok {
		return nil
	}
	var all []error
	for _, e := range flatten(v.Validate()) {
		var k *KeyError
		if !errors.As(e, &k) {
			all = append(all, &Error{File: file, Message: e.Error()})
			continue
		}
		line, column := position(tree, k.Key)
		all = append(all, &Error{File: file, Line: line, Column: column, Key: k.Key, Message: k.Message})
	}
	return errors.Join(all...)
}

// located turns an error of the YAML library into an *Error.
func located(file string, err error) error {
	var y yaml.Error
	if !errors.As(err, &y) {
		return &Error{File: file, Message: err.Error()}
	}
	e := &Error{File: file, Message: y.GetMessage()}
	var wrong *yaml.TypeError
	if errors.As(err, &wrong) {
		e.Message = fmt.Sprintf("%q is not %s", wrong.Token.Value, kindWords(wrong.DstType))
	}
	if t := y.GetToken(); t != nil && t.Position != nil {
		e.Line, e.Column = t.Position.Line, t.Position.Column
	}
	return e
}

// kindWords says what a setting of the type wants.
func kindWords(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number from 0"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "a group of settings"
	default:
		return "text"
	}
}

// durationError carries the text of a bad duration, so that its place can be
// looked up: the YAML library gives none to the errors of a custom unmarshaler.
type durationError struct{ text string }

func (e *durationError) Error() string {
	return fmt.Sprintf("%q is not a duration: write a number with a unit, as in 500ms, 10s, 5m or 24h", e.text)
}

func unmarshalDuration(d *time.Duration, data []byte) error {
	text := strings.Trim(strings.TrimSpace(string(data)), `"'`)
	v, err := time.ParseDuration(text)
	if err != nil {
		return &durationError{text}
	}
	*d = v
	return nil
}

func locatedDuration(file string, tree *ast.File, err error) error {
	var d *durationError
	if !errors.As(err, &d) {
		return located(file, err)
	}
	e := &Error{File: file, Message: d.Error()}
	var find scalarFinder
	find.text = d.text
	for _, doc := range tree.Docs {
		ast.Walk(&find, doc)
	}
	if find.at != nil {
		e.Line, e.Column, e.Key = find.at.Line, find.at.Column, find.key
	}
	return e
}

// scalarFinder finds the first value with the given text, and its key.
type scalarFinder struct {
	text string
	key  string
	at   *token.Position
}

func (f *scalarFinder) Visit(n ast.Node) ast.Visitor {
	if m, ok := n.(*ast.MappingValueNode); ok && f.at == nil {
		if v, ok := m.Value.(ast.ScalarNode); ok && fmt.Sprint(v.GetValue()) == f.text {
			f.at = m.Value.GetToken().Position
			f.key = strings.TrimPrefix(m.Value.GetPath(), "$.")
		}
	}
	return f
}

// At makes the error of a key in a file that was read without one: of a value that
// turned out to be wrong only later, as the name of a file that is not there.
func At(file, key, format string, args ...any) *Error {
	e := &Error{File: file, Key: key, Message: fmt.Sprintf(format, args...)}
	if data, err := os.ReadFile(file); err == nil {
		if tree, err := parser.ParseBytes(data, 0); err == nil {
			e.Line, e.Column = position(tree, key)
		}
	}
	return e
}

// position looks a key up in the file; a key that the file does not write is
// found at the nearest parent that it does.
func position(tree *ast.File, key string) (line, column int) {
	for key != "" {
		if path, err := yaml.PathString("$." + key); err == nil {
			if node, err := path.FilterFile(tree); err == nil && node != nil {
				p := node.GetToken().Position
				return p.Line, p.Column
			}
		}
		key = key[:max(0, strings.LastIndexAny(key, ".["))]
	}
	return 0, 0
}

// Index gives the path of element i of the list at key.
func Index(key string, i int) string { return fmt.Sprintf("%s[%d]", key, i) }
