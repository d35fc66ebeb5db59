package grafana

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Dashboard is a classic dashboard file, as far as tests look at it.
type Dashboard struct {
	// File is the name of the file without its folder.
	File string `json:"-"`

	UID           string `json:"uid"`
	Title         string `json:"title"`
	Description   string `json:"description"`
	SchemaVersion int    `json:"schemaVersion"`
	Editable      bool   `json:"editable"`
	Links         []Link `json:"links"`
	Annotations   struct {
		List []Annotation `json:"list"`
	} `json:"annotations"`
	Templating struct {
		List []Variable `json:"list"`
	} `json:"templating"`
	Panels []Panel `json:"panels"`

	raw []byte
}

// Link is a link of a dashboard, a panel or a field.
type Link struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

// Datasource refers to a data source.
type Datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// Panel is a panel or a row of a dashboard.
type Panel struct {
	ID          int        `json:"id"`
	Type        string     `json:"type"`
	Title       string     `json:"title"`
	Description string     `json:"description"`
	GridPos     Grid       `json:"gridPos"`
	Datasource  Datasource `json:"datasource"`
	// Interval is the smallest $__interval, as "1m"; empty: a second.
	Interval string `json:"interval"`
	// MaxDataPoints is how many intervals the panel shows at most; 0: one a pixel.
	MaxDataPoints int `json:"maxDataPoints"`
	FieldConfig   struct {
		Defaults struct {
			Unit string `json:"unit"`
		} `json:"defaults"`
		Overrides []Override `json:"overrides"`
	} `json:"fieldConfig"`
	Options json.RawMessage `json:"options"`
	Targets []Target        `json:"targets"`
	// Panels are those of a collapsed row.
	Panels []Panel `json:"panels"`
}

// Grid is the place of a panel: 24 columns, rows of 30 pixels.
type Grid struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

// Override changes how some fields are shown.
type Override struct {
	Matcher struct {
		ID      string `json:"id"`
		Options any    `json:"options"`
	} `json:"matcher"`
	Properties []struct {
		ID    string          `json:"id"`
		Value json.RawMessage `json:"value"`
	} `json:"properties"`
}

// Target is one query of a panel, an annotation or an alert rule.
type Target struct {
	RefID      string     `json:"refId" yaml:"refId"`
	Datasource Datasource `json:"datasource" yaml:"datasource"`
	EditorType string     `json:"editorType" yaml:"editorType"`
	Format     int        `json:"format" yaml:"format"`
	RawSQL     string     `json:"rawSql" yaml:"rawSql"`
}

// Annotation is a query whose rows mark times on every graph.
type Annotation struct {
	Name       string     `json:"name"`
	BuiltIn    int        `json:"builtIn"`
	Datasource Datasource `json:"datasource"`
	Target     Target     `json:"target"`
}

// Variable is a choice that the reader of a dashboard has.
type Variable struct {
	Name        string     `json:"name"`
	Type        string     `json:"type"`
	Label       string     `json:"label"`
	Description string     `json:"description"`
	Datasource  Datasource `json:"datasource"`
	Multi       bool       `json:"multi"`
	IncludeAll  bool       `json:"includeAll"`
	// Query is an object with rawSql for the type query, a string for others.
	Query json.RawMessage `json:"query"`
}

// sql is the statement of a variable of type query, empty for other types.
func (v *Variable) sql() (string, error) {
	if v.Type != "query" {
		return "", nil
	}
	var q Target
	if err := json.Unmarshal(v.Query, &q); err != nil {
		return "", fmt.Errorf("query of variable %s: %w", v.Name, err)
	}
	return q.RawSQL, nil
}

// ReadDashboard reads one dashboard file.
func ReadDashboard(file string) (*Dashboard, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return ParseDashboard(filepath.Base(file), data)
}

// ParseDashboard is ReadDashboard for data already read; file is named in errors.
func ParseDashboard(file string, data []byte) (*Dashboard, error) {
	d := &Dashboard{File: file, raw: data}
	if err := json.Unmarshal(data, d); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return d, nil
}

// All returns every panel that is not a row, those of collapsed rows too.
func (d *Dashboard) All() []*Panel {
	var all []*Panel
	for i := range d.Panels {
		p := &d.Panels[i]
		if p.Type != "row" {
			all = append(all, p)
		}
		for j := range p.Panels {
			all = append(all, &p.Panels[j])
		}
	}
	return all
}

// MinInterval is the panel's smallest $__interval; a second if it sets none.
func (p *Panel) MinInterval() (time.Duration, error) {
	if p.Interval == "" {
		return time.Second, nil
	}
	d, err := time.ParseDuration(p.Interval)
	if err != nil {
		return 0, fmt.Errorf("interval of panel %q: %w", p.Title, err)
	}
	return d, nil
}
