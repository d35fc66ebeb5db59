// Package intel marks the ends of flows that intelligence lists name.
//
// A list is a file in one of three formats, told by what it looks like.
//
// Text has one address or prefix a line. What follows after a space, a comma or a
// semicolon describes it; # begins a comment:
//
//	# seen in the advisory of August
//	198.51.100.7
//	203.0.113.0/24  command and control
//	2001:db8:bad::/48, staging
//
// CSV has a header that names a column of addresses, as plain tables, MISP's export and
// abuse.ch's lists do (there the header may stand in the last comment before the rows):
//
//	indicator,valid_from,valid_until,description,confidence
//	198.51.100.7,2026-08-27,2027-08-27,staging server,80
//
// Rows about domain names, files and the like, and those that MISP does not mean for
// detection (to_ids), are counted and left out.
//
// STIX 2.1 has a bundle with objects of type indicator; see parsePattern for the patterns
// that are understood. What is not is counted and named, and what is revoked left out.
//
// A mistake in text or CSV is an error with file and line. A list may be empty. An
// indicator marks only records received in the time for which it is valid.
package intel
