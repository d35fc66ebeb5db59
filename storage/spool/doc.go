// Package spool keeps batches of flow records on disk until ClickHouse has them.
//
// One segment is one file and one insert. It is open while frames are appended, and
// then sealed; only sealed segments are read. Its token, in the header of the file,
// is the insert_deduplication_token: an insert that is repeated after a crash has the
// same token and the same content. A segment that a process left open counts as
// sealed at the next start, with the frames it has whole.
//
// A frame for which Append returned no error survives the end of the process,
// however it came; whether it survives a loss of power is up to Fsync. What Append
// failed to write wholly is cut off again. A Remove may be undone by a loss of power:
// then the segment is inserted again, with its token.
//
// # Files
//
// The directory holds the file lock and the segments, a number of 20 digits and
// .seg, in the order of their creation. A segment whose header is damaged is renamed
// to .seg.corrupt and left to people. All integers are little endian; checksums are
// CRC-32C. A file begins with a header of 288 bytes:
//
//	  0  magic "TAPSPOOL"
//	  8  uint16 version of the format, 1
//	 10  uint16 length of the token
//	 12  4 bytes zero
//	 16  int64 creation, Unix ms
//	 24  260 bytes: the token, then zeros
//	284  uint32 checksum of all before
//
// Frames follow, each a header of 28 bytes and a compressed block:
//
//	 0  magic "FRAM"
//	 4  uint32 number of records
//	 8  int64 least received_at of the records, Unix ms
//	16  uint32 length of the payload
//	20  uint32 length of the compressed block
//	24  uint32 checksum of the file header's checksum, the frame's offset (uint64)
//	    and all before: a frame is valid only at its place in its file
//	28  the payload as one block of ClickHouse's compression, with its CityHash128
//
// The payload is opaque to this package.
package spool
