// Package pairs tells what is known of a protected system and a peer of it: since when
// they have talked, how many others talk with the peer, what sessions they had. It is
// shared by the detectors that look for a channel between two ends: beacon, longsession
// and relay.
package pairs
