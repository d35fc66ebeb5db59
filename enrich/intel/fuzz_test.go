package intel

import "testing"

// FuzzParse holds that no list makes the parser panic, and that what it takes are
// prefixes without host bits.
func FuzzParse(f *testing.F) {
	f.Add([]byte("\ufeff# comment\r\n198.51.100.7\n203.0.113.0/24 x\n::ffff:192.0.2.240/124, y\n2001:db8::/32;z\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := parse("f.txt", data)
		if err != nil {
			return
		}
		for _, e := range entries {
			if !e.prefix.IsValid() || e.prefix != e.prefix.Masked() || e.prefix.Bits() == 0 {
				t.Errorf("took %v", e.prefix)
			}
		}
	})
}
