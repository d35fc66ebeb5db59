package storage

import (
	"errors"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tapwatch/storage/native"
)

// Codes of ClickHouse errors (src/Common/ErrorCodes.cpp) that tapwatch acts on.
const (
	codeTableExists          = 57
	codeUnknownDatabase      = 81
	codeUnknownUser          = 192
	codeWrongPassword        = 193
	codeRequiredPassword     = 194
	codeAddressNotAllowed    = 195
	codeAuthenticationFailed = 516
)

// refused tells whether ClickHouse does not let the user in.
func refused(err error) bool {
	code, ok := exceptionCode(err)
	return ok && slices.Contains([]int32{
		codeUnknownUser, codeWrongPassword, codeRequiredPassword, codeAddressNotAllowed, codeAuthenticationFailed,
	}, code)
}

// permanentCodes are errors that the same insert meets again however often it is
// tried: the tables do not have the columns or types that tapwatch writes, or a
// value does not fit. All else (an unreachable server, a full disk, too many parts,
// a missing right or table) somebody or something may mend.
var permanentCodes = []int32{
	6,   // CANNOT_PARSE_TEXT
	10,  // NOT_FOUND_COLUMN_IN_BLOCK
	16,  // NO_SUCH_COLUMN_IN_TABLE
	20,  // NUMBER_OF_COLUMNS_DOESNT_MATCH
	36,  // BAD_ARGUMENTS
	43,  // ILLEGAL_TYPE_OF_ARGUMENT
	44,  // ILLEGAL_COLUMN
	47,  // UNKNOWN_IDENTIFIER
	50,  // UNKNOWN_TYPE
	53,  // TYPE_MISMATCH
	62,  // SYNTAX_ERROR
	69,  // ARGUMENT_OUT_OF_BOUND
	70,  // CANNOT_CONVERT_TYPE
	115, // UNKNOWN_SETTING
	122, // INCOMPATIBLE_COLUMNS
	691, // UNKNOWN_ELEMENT_OF_ENUM
}

// The kinds of insert errors, as metrics label them.
const (
	errorUnreachable = "unreachable" // no answer, or not of ClickHouse
	errorServer      = "server"      // ClickHouse could not; it may later
	errorPermanent   = "permanent"   // ClickHouse will not, or the values cannot be encoded
)

// errorKind tells the errors of an insert apart.
func errorKind(err error) string {
	if errors.Is(err, native.ErrColumns) || errors.Is(err, native.ErrEmpty) {
		return errorPermanent
	}
	code, ok := exceptionCode(err)
	switch {
	case !ok:
		return errorUnreachable
	case slices.Contains(permanentCodes, code):
		return errorPermanent
	default:
		return errorServer
	}
}

func exceptionCode(err error) (int32, bool) {
	var read *clickhouse.Exception
	var written *native.Exception
	switch {
	case errors.As(err, &read):
		return read.Code, true
	case errors.As(err, &written):
		return written.Code, true
	}
	return 0, false
}
