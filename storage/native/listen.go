package native

import (
	"errors"
	"fmt"

	"github.com/ClickHouse/ch-go/proto"
)

// listen reads what ClickHouse says about an insert until it has ended, and closes
// ready when ClickHouse waits for blocks. Nil means that all is stored.
func (c *conn) listen(ready chan<- struct{}) error {
	var events proto.ProfileEvents
	for {
		code, err := c.packet()
		if err != nil {
			return err
		}
		switch code {
		case proto.ServerCodeEndOfStream:
			return nil
		case proto.ServerCodeException:
			return c.exception()
		case proto.ServerCodeData: // the table's columns: it waits for blocks
			err = c.skipBlock(&proto.ColInfoInput{}, c.compression != Uncompressed)
			if ready != nil {
				close(ready)
				ready = nil
			}
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

// skipBlock reads a block that is of no interest.
func (c *conn) skipBlock(into proto.Result, compressed bool) error {
	if proto.FeatureTempTables.In(c.revision) {
		if _, err := c.in.Str(); err != nil {
			return err
		}
	}
	if compressed {
		c.in.EnableCompression()
		defer c.in.DisableCompression()
	}
	var b proto.Block
	return b.DecodeBlock(c.in, c.revision, into)
}
