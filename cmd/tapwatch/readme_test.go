package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestDocumentationNamesRealCommands holds that every subcommand and every make
// target that the documentation shows exists.
func TestDocumentationNamesRealCommands(t *testing.T) {
	parser, err := kong.New(&cli{})
	if err != nil {
		t.Fatal(err)
	}
	commands := map[string]bool{}
	for _, c := range parser.Model.Children {
		commands[c.Name] = true
	}
	makefile := readFile(t, "../../Makefile")
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, "../../README.md", "../../CONTRIBUTING.md") {
		for _, code := range regexp.MustCompile("(?s)```.*?```|`[^`\n]+`").FindAllString(readFile(t, file), -1) {
			for _, m := range regexp.MustCompile(`(?m)(?:^|[\s/`+"`"+`])tapwatch (?:--?[a-z]+ \S+ )*([a-z]+)\b`).FindAllStringSubmatch(code, -1) {
				if !commands[m[1]] {
					t.Errorf("%s shows `tapwatch %s`, which is no command", filepath.Base(file), m[1])
				}
			}
			for _, m := range regexp.MustCompile(`(?m)(?:^|`+"`"+`)make ([a-z]+(?: [a-z]+)*)`).FindAllStringSubmatch(code, -1) {
				for _, target := range strings.Fields(m[1]) {
					if !strings.Contains(makefile, "\n"+target+":") {
						t.Errorf("%s shows `make %s`, which is no target", filepath.Base(file), target)
					}
				}
			}
		}
	}
	for name := range commands {
		if !strings.Contains(readFile(t, "../../README.md"), "tapwatch "+name) && name != "version" {
			t.Errorf("the README does not show `tapwatch %s`", name)
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
