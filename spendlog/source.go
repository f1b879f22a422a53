package spendlog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/org/openclaw-litellm-action/internal/panics"
)

const (
	blockSize = 256 << 10
	blocks    = 4 // read ahead

	// headroom is the room before each block for what is left of the one before: history and a token.
	headroom = 256
	// largestWindow is how far back a zstd stream may refer; the decoder has to hold that much.
	largestWindow = 8 << 20
)

// source hands out the blocks of a stream, read and decompressed ahead in a goroutine of its own.
type source struct {
	full chan block
	free chan []byte
	stop chan struct{}
	end  sync.Once
	err  error // why full was closed; nil at a proper end. To be read after that.
}

// block is a buffer whose first headroom bytes are not of the stream.
type block struct {
	room []byte // of the full size
	n    int    // bytes with headroom
}

// readAhead begins to read r.
func readAhead(r io.Reader, size int) *source {
	s := &source{full: make(chan block, blocks), free: make(chan []byte, blocks), stop: make(chan struct{})}
	for range blocks {
		s.free <- make([]byte, headroom+size)
	}
	go func() {
		defer close(s.full)
		s.err = panics.Catch("decompressing", func() error { return s.run(r) })
	}()
	return s
}

// close ends the reading, after the read in hand.
func (s *source) close() { s.end.Do(func() { close(s.stop) }) }

// run fills blocks until the stream ends, and says why it ended.
func (s *source) run(r io.Reader) error {
	in := &recorder{r: r}
	plain, done, err := decompress(in)
	defer done()
	for err == nil {
		var room []byte
		select {
		case room = <-s.free:
		case <-s.stop:
			return nil
		}
		n := headroom
		for err == nil && n < len(room) {
			var got int
			got, err = plain.Read(room[n:])
			n += got
		}
		if n == headroom {
			break // err says why
		}
		select {
		case s.full <- block{room, n}:
		case <-s.stop:
			return nil
		}
	}
	switch {
	case err == io.EOF:
		return nil
	case in.err != nil && in.err != io.EOF || errors.Is(err, errForm):
		return err
	}
	return &broken{err}
}

// broken is that a compressed stream is damaged or cut off.
type broken struct{ err error }

func (b *broken) Error() string { return "the compressed stream is damaged: " + b.err.Error() }

func (b *broken) Unwrap() error { return b.err }

// recorder remembers why its reader ended, which is not what a decompressor says of it.
type recorder struct {
	r   io.Reader
	err error
}

func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil {
		r.err = err
	}
	return n, err
}

// errForm is that the export is in a form that is not read.
var errForm = errors.New("not an export of spend logs")

// decompress tells by the first bytes how r is compressed. done gives back what that took.
func decompress(r io.Reader) (plain io.Reader, done func(), err error) {
	in := bufio.NewReaderSize(r, 64<<10)
	done = func() {}
	magic, err := in.Peek(4)
	if err != nil && err != io.EOF {
		return nil, done, err
	}
	starts := func(prefix string) bool { return bytes.HasPrefix(magic, []byte(prefix)) }
	switch {
	case starts("\x1f\x8b"):
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, done, err
		}
		z.Multistream(false)
		return &members{in, z}, done, nil
	case starts("\x28\xb5\x2f\xfd"), len(magic) == 4 && magic[0]&0xf0 == 0x50 && string(magic[1:]) == "\x2a\x4d\x18":
		d, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(largestWindow))
		if err != nil {
			return nil, done, err
		}
		return d, d.Close, nil
	case starts("PK\x03\x04"), starts("BZh"), starts("\xfd7zX"):
		return nil, done, fmt.Errorf("%w: unpack it first; only gzip and zstd are read as they are", errForm)
	case starts("\xff\xfe"), starts("\xfe\xff"):
		return nil, done, fmt.Errorf("%w: it is in UTF-16; save it as UTF-8", errForm)
	case starts("\xef\xbb\xbf"):
		_, err := in.Discard(3)
		return in, done, err
	}
	return in, done, nil
}

// members reads gzip streams that follow each other, as gzip does: zeros after the last one are padding, anything else is
// damage. Left to itself the decompressor takes padding for damage.
type members struct {
	in *bufio.Reader
	z  *gzip.Reader
}

// errGarbage is that something follows a compressed stream that belongs to none.
var errGarbage = errors.New("something else follows it")

// Read reads on, in the next stream where one ends.
func (m *members) Read(p []byte) (int, error) {
	n, err := m.z.Read(p)
	if err != io.EOF || n > 0 {
		if err == io.EOF {
			err = nil // it is said again
		}
		return n, err
	}
	if err := m.padding(); err != nil {
		return 0, err
	}
	if next, err := m.in.Peek(2); err != nil || string(next) != "\x1f\x8b" {
		return 0, errGarbage
	}
	if err := m.z.Reset(m.in); err != nil {
		return 0, err
	}
	m.z.Multistream(false)
	return 0, nil
}

// padding passes over zeros. It returns io.EOF if nothing follows, and nil if another stream may.
func (m *members) padding() error {
	zeros := false
	for {
		c, err := m.in.ReadByte()
		switch {
		case err != nil:
			return err
		case c == 0:
			zeros = true
		case zeros:
			return errGarbage
		default:
			return m.in.UnreadByte()
		}
	}
}
