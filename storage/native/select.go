package native

import (
	"context"
	"errors"
	"fmt"

	"github.com/ClickHouse/ch-go/proto"
)

// Select runs a query and hands its rows on, block by block: take is called with the
// columns in results filled anew, and how many rows they have. An error of take ends the
// query and is returned. Errors are those of Client.Insert.
func (c *Client) Select(ctx context.Context, query string, settings []Setting, results proto.Results, take func(rows int) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	conn, kept, err := c.get(ctx)
	if err != nil {
		return err
	}
	s := selection{query: query, settings: settings, results: results, take: take}
	err = c.selectOver(ctx, conn, &s)
	if kept && err != nil && !s.begun && !isException(err) && ctx.Err() == nil {
		// The server had given the kept connection up.
		if conn, err = c.dial(ctx); err != nil {
			return err
		}
		err = c.selectOver(ctx, conn, &s)
	}
	return err
}

// selection is a query on its way.
type selection struct {
	query    string
	settings []Setting
	results  proto.Results
	take     func(rows int) error
	begun    bool // the server has answered
}

func (c *Client) selectOver(ctx context.Context, conn *conn, s *selection) error {
	stop := context.AfterFunc(ctx, conn.interrupt)
	err := conn.selectRows(s)
	if interrupted := !stop(); interrupted || err != nil {
		go conn.farewell()
		if err != nil && ctx.Err() != nil && !isException(err) {
			return fmt.Errorf("%w (%w)", context.Cause(ctx), err)
		}
		return err
	}
	c.put(conn)
	return nil
}

func (c *conn) selectRows(s *selection) error {
	settings := make([]proto.Setting, len(s.settings))
	for n, x := range s.settings {
		settings[n] = proto.Setting{Key: x.Name, Value: x.Value, Important: true}
	}
	if err := c.ask(s.query, settings); err != nil {
		return err
	}
	var events proto.ProfileEvents
	for {
		code, err := c.packet()
		if err != nil {
			return err
		}
		s.begun = true
		switch code {
		case proto.ServerCodeEndOfStream:
			return nil
		case proto.ServerCodeException:
			return c.exception()
		case proto.ServerCodeData:
			err = c.rows(s)
		case proto.ServerProfileEvents:
			err = c.skipBlock(events.Result(), false)
		case proto.ServerCodeLog:
			err = c.skipBlock(new(proto.Logs).Result(), false)
		case proto.ServerCodeProgress:
			err = new(proto.Progress).DecodeAware(c.in, c.revision)
		case proto.ServerCodeProfile:
			err = new(proto.Profile).DecodeAware(c.in, c.revision)
		case proto.ServerCodeTableColumns:
			err = new(proto.TableColumns).DecodeAware(c.in, c.revision)
		default:
			err = errors.New("not expected here")
		}
		if err != nil {
			return fmt.Errorf("read packet %q: %w", code, err)
		}
	}
}

// rows reads a block of the answer and hands it on.
func (c *conn) rows(s *selection) error {
	if proto.FeatureTempTables.In(c.revision) {
		if _, err := c.in.Str(); err != nil {
			return err
		}
	}
	var b proto.Block
	if err := c.decode(&b, s.results); err != nil || b.Rows == 0 {
		return err
	}
	return s.take(b.Rows)
}

func (c *conn) decode(b *proto.Block, into proto.Result) error {
	if c.compression != Uncompressed {
		c.in.EnableCompression()
		defer c.in.DisableCompression()
	}
	return b.DecodeBlock(c.in, c.revision, into)
}
