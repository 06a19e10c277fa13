// Package clients runs other people's clients against the stand-ins: what the
// vendors' users write their programs with must work here too.
//
// A folder for each vendor holds the programs and the pinned versions of what
// they use.
package clients
