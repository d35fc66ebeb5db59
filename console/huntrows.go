package console

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"tapwatch/hunts"
)

// writeHuntJSON answers {"columns":[{name,type}],"rows":[{…}],"truncated":bool}. The
// members of a row are in the order of the columns, which a map would lose.
func (s *Server) writeHuntJSON(w http.ResponseWriter, r *http.Request, found *HuntRows) {
	columns := found.Columns
	if columns == nil {
		columns = []HuntColumn{}
	}
	names := make([][]byte, len(columns))
	for i, c := range columns {
		names[i], _ = json.Marshal(c.Name) // a string
	}
	head, _ := json.Marshal(columns) // strings
	body := bytes.NewBuffer(fmt.Appendf(nil, `{"columns":%s,"rows":[`, head))
	for n, row := range found.Rows {
		if n > 0 {
			body.WriteByte(',')
		}
		body.WriteByte('{')
		for i, value := range row {
			if i > 0 {
				body.WriteByte(',')
			}
			text, err := json.Marshal(value)
			if err != nil {
				s.unavailable(w, r, "hunt", fmt.Errorf("column %s: %w", columns[i].Name, err))
				return
			}
			body.Write(names[i])
			body.WriteByte(':')
			body.Write(text)
		}
		body.WriteByte('}')
	}
	fmt.Fprintf(body, `],"truncated":%t}`+"\n", found.Truncated)
	w.Header().Set("Content-Type", "application/json")
	w.Write(body.Bytes())
}

// writeHuntCSV answers with a line of names and a line for each row (RFC 4180). Whether
// there was more is in the header Tapwatch-Truncated.
func (s *Server) writeHuntCSV(w http.ResponseWriter, h *hunts.Hunt, found *HuntRows) {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", `attachment; filename="`+h.Name+`.csv"`)
	w.Header().Set("Tapwatch-Truncated", strconv.FormatBool(found.Truncated))
	out := csv.NewWriter(w)
	line := make([]string, len(found.Columns))
	for i, c := range found.Columns {
		line[i] = c.Name
	}
	out.Write(line) // its errors stay: see Error below
	for _, row := range found.Rows {
		for i, value := range row {
			line[i] = cell(value)
		}
		out.Write(line)
	}
	out.Flush()
	if err := out.Error(); err != nil {
		s.logger.Debug("rows of a hunt not sent", "error", err)
	}
}

// cell is a value in CSV: text as it is, nothing for nil, all else as JSON has it.
func cell(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}
