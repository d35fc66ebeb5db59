package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// progressRow is a row of table detect_progress.
type progressRow struct {
	Detector  string    `ch:"detector"`
	WindowEnd time.Time `ch:"window_end"`
	StoredAt  time.Time `ch:"stored_at"`
}

// Progress is the stream time before which the detector has detected everything;
// zero if it has not begun.
func (s *Store) Progress(ctx context.Context, detector string) (time.Time, error) {
	var end time.Time
	err := s.QueryRow(ctx, "SELECT max(window_end) FROM detect_progress WHERE detector = {detector:String}",
		clickhouse.Named("detector", detector)).Scan(&end)
	if err != nil {
		return time.Time{}, fmt.Errorf("read the progress of detector %s: %w", detector, err)
	}
	return readTime(end), nil
}

// SaveProgress records that the detector has detected everything before end. It
// never goes back: an earlier end than the recorded one changes nothing.
func (s *Store) SaveProgress(ctx context.Context, detector string, end time.Time) error {
	row := progressRow{detector, storedTime(end), storedTime(time.Now())}
	if err := insertRows(ctx, s, "detect_progress", []progressRow{row}, ""); err != nil {
		return fmt.Errorf("save the progress of detector %s: %w", detector, err)
	}
	return nil
}

// RewindProgress takes the detector back to end, though it had come further: after
// the clock was found to have been ahead.
func (s *Store) RewindProgress(ctx context.Context, detector string, end time.Time) error {
	err := s.eachShard(ctx, func(conn driver.Conn) error { // a Distributed table deletes nothing
		return conn.Exec(ctx, "DELETE FROM "+s.layout.Table("detect_progress")+" WHERE detector = {detector:String}", clickhouse.Named("detector", detector))
	})
	if err != nil {
		return fmt.Errorf("rewind the progress of detector %s: %w", detector, err)
	}
	return s.SaveProgress(ctx, detector, end)
}
