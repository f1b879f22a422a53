package spendlog

import (
	"encoding/binary"
	"math/bits"
)

// sample counts the rows of each request id, for as many ids as fit: those whose hash is a multiple of a power of two,
// which doubles whenever there is no room.
type sample struct {
	rows map[uint64]int64 // by the id's hash
	of   uint64
}

const (
	mostIDs  = 1 << 15
	mostOfID = 1 << 40 // beyond that the ids were made up to have such hashes
)

func newSample() sample { return sample{rows: map[uint64]int64{}, of: 1} }

func (s *sample) add(id []byte) {
	h := hash(id)
	if h&(s.of-1) != 0 {
		return
	}
	for len(s.rows) >= mostIDs && s.of < mostOfID {
		s.of *= 2
		for h := range s.rows {
			if h&(s.of-1) != 0 {
				delete(s.rows, h)
			}
		}
	}
	if h&(s.of-1) == 0 && len(s.rows) < mostIDs {
		s.rows[h]++
	}
}

func (s *sample) repeats() Repeats {
	r := Repeats{Of: int64(s.of)} // #nosec G115 -- at most mostOfID
	for _, n := range s.rows {
		r.Rows += n - 1
	}
	r.Rows *= r.Of
	return r
}

// hash spreads ids. It is the same in every run, so that the same export gives the same Summary.
func hash(id []byte) uint64 {
	const a, b = 0x9e3779b97f4a7c15, 0xd6e8feb86659fd93
	h := uint64(len(id)) * a
	for len(id) >= 8 {
		hi, lo := bits.Mul64(h^binary.LittleEndian.Uint64(id)^b, a)
		h = hi ^ lo
		id = id[8:]
	}
	var last [8]byte
	copy(last[:], id)
	hi, lo := bits.Mul64(h^binary.LittleEndian.Uint64(last[:])^b, a|b)
	return (hi ^ lo) * a
}
