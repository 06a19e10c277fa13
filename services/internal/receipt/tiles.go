package receipt

import (
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"habeas.dev/pkg/telemetry"
)

// tileHeight is that of c2sp.org/tlog-tiles: 256 hashes a tile.
const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	// entriesLevel is x/mod's level of the tiles that hold the leaves themselves.
	entriesLevel = -1
)

// tilePath returns a tile's place: tile/<level>/<n>[.p/<width>], and entries for the
// level of the leaves.
func tilePath(t tlog.Tile) string {
	path := strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/", t.H))
	if rest, ok := strings.CutPrefix(path, "data/"); ok {
		return "tile/entries/" + rest
	}
	return "tile/" + path
}

// appendEntry appends a leaf to a bundle of leaves: its length in two bytes, and itself.
func appendEntry(b, leaf []byte) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(leaf))), leaf...)
}

var errEntries = telemetry.Constant("the mirror's leaves can't be read")

// readEntries returns the leaves of a bundle.
func readEntries(b []byte) ([][]byte, error) {
	var leaves [][]byte
	for len(b) > 0 {
		if len(b) < 2 {
			return nil, errEntries
		}
		n := int(binary.BigEndian.Uint16(b))
		if len(b) < 2+n {
			return nil, errEntries
		}
		leaves = append(leaves, b[2:2+n])
		b = b[2+n:]
	}
	return leaves, nil
}
