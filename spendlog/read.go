package spendlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/shopspring/decimal"
)

// Options say what of an export counts. The zero value counts all.
type Options struct {
	From, To time.Time // rows that start in [From, To) count; zero: no bound
	Strict   bool      // end with the first fault

	// Dear is what a request costs, or more, to be counted with its key; invalid: none is.
	Dear decimal.NullDecimal

	block int // bytes of a block; 0: blockSize
}

// Fault is a place where the export is not what it should be, and a row that is lost by that.
type Fault struct {
	Offset int64  // where the row begins, in bytes of the uncompressed stream
	At     int64  // where that was noticed
	What   string // what is wrong, to follow "the row at byte 12: "
}

// Error says what is wrong, and where.
func (f *Fault) Error() string {
	if f.At == f.Offset {
		return fmt.Sprintf("byte %d: %s", f.Offset, f.What)
	}
	return fmt.Sprintf("the row at byte %d: %s (noticed at byte %d)", f.Offset, f.What, f.At)
}

// Damage is the error of an export that does not end as one: it is cut off, its checksum is wrong, or something else follows.
// What was read before may be wrong as well: a checksum comes after what it is of.
type Damage struct{ Fault }

// Error says where the end of the export is, and what is wrong with it.
func (d *Damage) Error() string {
	return "the export is damaged, and its figures are incomplete or wrong: " + d.Fault.Error()
}

// Read sums up the export that r holds. It starts one goroutine, which ends with Read or, if Read ends early, with the
// r.Read in hand. The Summary is never nil and holds what was read until an error. Errors are those of r, what is no
// export at all, a *Damage, and under Strict a *Fault.
func Read(r io.Reader, o Options) (*Summary, error) {
	if o.block == 0 {
		o.block = blockSize
	}
	src := readAhead(r, o.block)
	defer src.close()
	e := &export{Options: o, tally: newTally()}
	if limit, ok := parseAmount([]byte(o.Dear.Decimal.String())); ok && o.Dear.Valid {
		e.tally.dear = map[int32]dear{}
		e.tally.dearFrom = limit
	}
	e.src, e.head, e.pages = src, []byte(`{"request_id"`), e.page
	e.rows(-1)
	err := e.failed
	if err == nil {
		err = e.close()
	}
	s := e.tally.summary()
	s.Bytes = e.off()
	return s, err
}

// close says why the stream ended: in a compressed one that is damaged there is a fault, of which all but its place is
// known.
func (e *export) close() error {
	var damage *broken
	switch {
	case errors.As(e.src.err, &damage):
		e.ended = false
		e.fail(damage.Error())
		e.lose(e.off())
		e.breaks()
	case e.src.err != nil:
		return e.src.err
	}
	if e.failed == nil && e.tail != nil {
		e.tally.more = true // nobody knows of how many rows
		return &Damage{*e.tail}
	}
	return e.failed
}

// export is a reading in progress.
type export struct {
	Options
	parser
	tally   *tally
	learned bool  // head is how the rows of this export begin
	open    int   // arrays
	ended   bool  // that the stream ends early is noted
	failed  error // what ends the reading under Strict

	lastFault Fault
	tail      *Fault // after which nothing was read that belongs to an export; nil: all is as it should be
}

// rows reads values one after another, rows and arrays of them, until the stream ends or only floor arrays are open.
func (e *export) rows(floor int) {
	const (
		value = iota // a value comes next
		first        // a value, or the array's end
		after        // a comma, or the array's end
	)
	for state := value; e.failed == nil; {
		c := e.peek()
		switch {
		case e.pos == len(e.buf):
			e.end()
			return
		case e.open > 0 && c == ']' && state != value:
			e.pos++
			if e.open--; e.open == floor {
				return
			}
			state = after
		case e.open > 0 && state == after && c == ',':
			e.pos++
			state = value
		case e.open > 0 && state == after:
			e.fail("there should be a comma or the end of the list")
			e.lose(e.off())
			e.seek(e.off())
			state = value
		case c == '[' && e.open < mostOpen:
			e.pos++
			e.open++
			state = first
		default:
			if state = value; e.value(c) {
				state = after
			}
		}
	}
}

// mostOpen is how deep arrays may hold arrays of rows.
const mostOpen = 8

// end notes where an array is not closed, unless a row was cut off there.
func (e *export) end() {
	if e.open > 0 && !e.ended {
		e.fail("the list is cut off: the stream ends before its closing bracket")
		e.lose(e.off())
		e.breaks()
	}
	if e.ended {
		e.breaks()
	}
	e.open = 0
}

// breaks notes that with the last fault the export breaks off, unless a row follows.
func (e *export) breaks() {
	f := e.lastFault
	e.tail = &f
}

// value reads a row and counts it, or loses what is none. It returns false if it had to look for the next row.
func (e *export) value(c byte) bool {
	start := e.off()
	if c != '{' {
		ok := e.skipValue()
		if ok {
			e.what, e.at = "this is no row", start
		}
		e.lose(start)
		if ok && e.open == 0 { // no export has such a value beside its rows
			e.breaks()
		}
		return ok || e.seek(start)
	}
	var head []byte
	if !e.learned {
		e.ensure(longToken)
		head = bytes.Clone(rowHead(e.buf[e.pos:]))
	}
	e.row.reset()
	e.inRow = true
	ok := e.object((*parser).field)
	e.inRow = false
	wrong := e.row.wrong()
	switch {
	case e.failed != nil:
	case !ok:
		e.lose(start)
		return e.seek(start)
	case e.row.page:
	case wrong != "":
		e.what, e.at = wrong, start
		e.lose(start)
	default:
		if !e.learned && head != nil {
			e.head, e.learned = head, true
		}
		e.tally.add(&e.row, e.Options)
		e.tail = nil
	}
	return true
}

// page reads the rows of a page of /spend/logs/v2, {"data":[…],…}, at its opening bracket.
func (e *export) page() bool {
	e.inRow = false
	e.pos++
	e.open++
	e.rows(e.open - 1)
	e.inRow = true
	e.row.reset()
	e.row.page = true
	return !e.ended && e.failed == nil
}

// lose counts what began at start as lost, for the reason noted last.
func (e *export) lose(start int64) {
	if e.ended {
		return
	}
	e.ended = e.what == endsEarly
	e.lastFault = Fault{Offset: start, At: e.at, What: e.what}
	e.tally.fault(e.lastFault)
	if e.Strict {
		f := e.lastFault
		e.failed = &f
	}
}

// seek goes to the next place after start that can only be where a row begins, and always returns false. Such a place may
// have been taken for something else already, by the length of what rows begin with. One row alone is lost where the next one
// begins on the next line.
func (e *export) seek(start int64) bool {
	back := min(e.off()-start-1, int64(len(e.head)), int64(e.pos))
	e.pos -= int(max(back, 0))
	breaks := 0
	pass := func(to int) {
		breaks += bytes.Count(e.buf[e.pos:to], []byte("\n"))
		e.pos = to
	}
	for {
		if i := bytes.Index(e.buf[e.pos:], e.head); i >= 0 {
			pass(e.pos + i)
			e.tally.more = e.tally.more || breaks != 1
			return false
		}
		pass(max(e.pos, len(e.buf)-len(e.head)+1))
		if !e.fill() {
			e.pos, e.ended, e.tally.more = len(e.buf), true, true
			return false
		}
	}
}

// rowHead returns the beginning of a row with the name of its first member, nil if that is not short.
func rowHead(text []byte) []byte {
	for i := 1; i < min(len(text), history); i++ {
		switch text[i] {
		case ' ', '\t', '\r', '\n':
		case '"':
			n := ordinary(text[i+1:])
			if i += n + 2; i <= min(len(text), history) && n > 0 && text[i-1] == '"' {
				return text[:i]
			}
			return nil
		default:
			return nil
		}
	}
	return nil
}
