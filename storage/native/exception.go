package native

import (
	"errors"
	"fmt"
)

// Exception is ClickHouse's answer that it did not do what it was asked.
type Exception struct {
	// Code is that of src/Common/ErrorCodes.cpp.
	Code int32
	// Name is the kind of exception, mostly DB::Exception.
	Name    string
	Message string
}

func (e *Exception) Error() string {
	return fmt.Sprintf("clickhouse: code %d: %s", e.Code, e.Message)
}

func isException(err error) bool {
	var e *Exception
	return errors.As(err, &e)
}
