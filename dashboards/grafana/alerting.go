package grafana

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/goccy/go-yaml"
)

// AlertFile is a file of provisioning/alerting, as far as tests look at it.
type AlertFile struct {
	// File is the name of the file without its folder.
	File string `yaml:"-"`

	APIVersion int          `yaml:"apiVersion"`
	Groups     []AlertGroup `yaml:"groups"`
}

// AlertGroup is a group of rules evaluated together.
type AlertGroup struct {
	Name     string      `yaml:"name"`
	Folder   string      `yaml:"folder"`
	Interval string      `yaml:"interval"`
	Rules    []AlertRule `yaml:"rules"`
}

// AlertRule is one alert rule.
type AlertRule struct {
	UID          string            `yaml:"uid"`
	Title        string            `yaml:"title"`
	Condition    string            `yaml:"condition"`
	For          string            `yaml:"for"`
	NoDataState  string            `yaml:"noDataState"`
	ExecErrState string            `yaml:"execErrState"`
	Labels       map[string]string `yaml:"labels"`
	Annotations  map[string]string `yaml:"annotations"`
	Data         []AlertData       `yaml:"data"`
}

// AlertData is a query or an expression of a rule.
type AlertData struct {
	RefID             string `yaml:"refId"`
	DatasourceUID     string `yaml:"datasourceUid"`
	RelativeTimeRange struct {
		From int `yaml:"from"`
		To   int `yaml:"to"`
	} `yaml:"relativeTimeRange"`
	Model AlertModel `yaml:"model"`
}

// AlertModel is the query or the expression itself.
type AlertModel struct {
	Target     `yaml:",inline"`
	Type       string `yaml:"type"`
	Expression string `yaml:"expression"`
	Conditions []struct {
		Evaluator struct {
			Type   string    `yaml:"type"`
			Params []float64 `yaml:"params"`
		} `yaml:"evaluator"`
	} `yaml:"conditions"`
}

// ExpressionUID is the data source of expressions, which hold no SQL.
const ExpressionUID = "__expr__"

// ReadAlerts reads one file of provisioning/alerting.
func ReadAlerts(file string) (*AlertFile, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	f := &AlertFile{File: filepath.Base(file)}
	if err := yaml.Unmarshal(data, f); err != nil {
		return nil, fmt.Errorf("%s: %w", f.File, err)
	}
	return f, nil
}

// Rules returns the rules of all groups.
func (f *AlertFile) Rules() []AlertRule {
	var all []AlertRule
	for _, g := range f.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// Queries returns every statement of the file's rules.
func (f *AlertFile) Queries() []Query {
	var all []Query
	for _, r := range f.Rules() {
		for _, d := range r.Data {
			if d.DatasourceUID == ExpressionUID {
				continue
			}
			all = append(all, Query{
				Name: f.File + "/" + r.Title + "/" + d.RefID, Use: ForAlert, Format: d.Model.Format,
				SQL: d.Model.RawSQL, MinInterval: time.Second,
				Range: time.Duration(d.RelativeTimeRange.From-d.RelativeTimeRange.To) * time.Second,
			})
		}
	}
	return all
}
