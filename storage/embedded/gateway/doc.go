// Package gateway stands between the clients of the embedded ClickHouse and its
// sockets.
//
// The engine of chdb is clickhouse-local, which ends the whole process on any error
// that reaches the thread of a connection: a wrong password, an unknown database, a
// connection reset, half a request. The gateway owns the ports that clients know,
// lets in only clients with a name and password of the engine's, and speaks with
// the engine as a client does that never errs: it sends whole requests and ends
// connections in order. While the engine is being started again, new connections
// wait. Clients without a password can neither end the gateway nor fill it, and it
// proves to other processes which gateway it is.
package gateway
