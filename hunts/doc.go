// Package hunts holds saved questions to the stored flows: one SQL file each, with
// what it finds and its parameters in the comment at its head. `tapwatch hunt` and
// the console's API list and run them.
//
// A file begins with lines of comment, "key: value", in this order:
//
//	-- title: Who talked to an asset
//	-- finds: Every peer of an asset, with what it asked for, first and last seen, bytes both ways.
//	-- technique: T1078 Valid Accounts
//	-- param: asset String; asset of the inventory, as in inventory.yaml
//	-- param: since Time = 24h; from when on: a duration back from now, or a time (RFC 3339)
//	-- param: until Time = 0s; up to when
//
// There are one or several techniques (MITRE ATT&CK), and no or several parameters. A
// parameter is a name, a Type, a default after "=" unless the user must give it, and
// what it means after ";". In the SQL a parameter stands as ClickHouse writes them,
// {asset:String} or {since:DateTime64(3, 'UTC')}; each type has one way to be
// written, see Type. A blank line, and the query.
package hunts
