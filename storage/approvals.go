package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tapwatch/alert"
	"tapwatch/flow"
)

// approvalRow is a row of table approvals.
type approvalRow struct {
	ID              string    `ch:"id"`
	AlertID         string    `ch:"alert_id"`
	Title           string    `ch:"title"`
	Client          [16]byte  `ch:"client"`
	ClientAsset     string    `ch:"client_asset"`
	Server          [16]byte  `ch:"server"`
	ServerAsset     string    `ch:"server_asset"`
	EitherInitiates bool      `ch:"either_initiates"`
	Protocol        uint8     `ch:"protocol"`
	Port            uint16    `ch:"port"`
	Owner           string    `ch:"owner"`
	Reason          string    `ch:"reason"`
	Ticket          string    `ch:"ticket"`
	CreatedAt       time.Time `ch:"created_at"`
	ExpiresAt       time.Time `ch:"expires_at"`
	EndedAt         time.Time `ch:"ended_at"`
	Version         uint64    `ch:"version"`
}

// SaveApproval stores an approval, or a change of it: the latest CreatedAt or EndedAt
// counts.
func (s *Store) SaveApproval(ctx context.Context, a alert.Approval) error {
	row := approvalRow{
		ID: a.ID, AlertID: a.AlertID, Title: a.Title, Client: flow.FromAddr(a.Client), ClientAsset: a.ClientAsset,
		Server: flow.FromAddr(a.Server), ServerAsset: a.ServerAsset, EitherInitiates: a.EitherInitiates,
		Protocol: a.Protocol, Port: a.Port, Owner: a.Owner, Reason: a.Reason, Ticket: a.Ticket,
		CreatedAt: storedTime(a.CreatedAt), ExpiresAt: storedTime(a.ExpiresAt), EndedAt: storedTime(a.EndedAt),
		Version: entryVersion(a.CreatedAt, a.EndedAt),
	}
	if err := insertRows(ctx, s, "approvals", []approvalRow{row}, ""); err != nil {
		return fmt.Errorf("store approval %s: %w", a.ID, err)
	}
	return nil
}

// Approvals gives the approvals of which something was in force at or after since, those
// that somebody ended too, the latest made first.
func (s *Store) Approvals(ctx context.Context, since time.Time) ([]alert.Approval, error) {
	var rows []approvalRow
	err := s.Select(ctx, &rows, fmt.Sprintf(`SELECT * FROM approvals FINAL
		WHERE expires_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC') ORDER BY created_at DESC, id LIMIT %d`, maxEntries),
		clickhouse.Named("since", since.UnixMilli()))
	if err != nil {
		return nil, fmt.Errorf("read the approvals: %w", err)
	}
	all := make([]alert.Approval, len(rows))
	for i, r := range rows {
		all[i] = alert.Approval{
			ID: r.ID, AlertID: r.AlertID, Title: r.Title, Client: flow.Addr(r.Client), ClientAsset: r.ClientAsset,
			Server: flow.Addr(r.Server), ServerAsset: r.ServerAsset, EitherInitiates: r.EitherInitiates,
			Protocol: r.Protocol, Port: r.Port, Owner: r.Owner, Reason: r.Reason, Ticket: r.Ticket,
			CreatedAt: readTime(r.CreatedAt), ExpiresAt: readTime(r.ExpiresAt), EndedAt: readTime(r.EndedAt),
		}
	}
	return all, nil
}
