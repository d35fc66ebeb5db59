package console

// Matches is matches, for tests.
var Matches = matches
