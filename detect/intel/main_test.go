package intel_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/intel"
	enrichintel "tapwatch/enrich/intel"
	"tapwatch/internal/testkit"
	"tapwatch/internal/testkit/stage"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// open gives a stage on a fresh database, with the pipeline's own tags: of the list apt,
// and of the list bulk, which holds 192.0.2.100 to 192.0.2.139 one by one.
func open(t *testing.T) *detecttest.Stage {
	t.Helper()
	var bulk strings.Builder
	for i := range 40 {
		fmt.Fprintf(&bulk, "192.0.2.%d\n", 100+i)
	}
	lists, err := enrichintel.New(enrichintel.Config{Lists: []enrichintel.List{
		{Name: "apt", File: file(t, "198.51.100.0/28\n")}, {Name: "bulk", File: file(t, bulk.String())},
	}}, testkit.Logger(t), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return stage.Open(t, detecttest.Operator, lists)
}

func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "list.txt")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func detector(t *testing.T) detect.Detector {
	return intel.New(intel.DefaultConfig(), detecttest.Inventory(t, detecttest.Operator))
}
