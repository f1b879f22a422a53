package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"time"

	"modernc.org/sqlite"
)

const (
	// turnSuffix names the file beside the state file that is locked during a turn. It stays empty. The state file itself is not
	// locked, so that others can go on to record what they see.
	turnSuffix = "-turn"
	// turnPoll is how often a turn that somebody has is asked for again.
	turnPoll = 50 * time.Millisecond
	// busy is SQLite's word for a lock that somebody else has.
	busy = 5
)

// Turn waits until no other process, and no other DB on the same file, has the turn, or until ctx ends, and takes it. end gives
// it back; it is never nil. A process that dies gives it back as well: the system releases its locks.
func (db *DB) Turn(ctx context.Context) (end func(), err error) {
	none := func() {}
	path := db.path + turnSuffix
	if err := touch(path); err != nil {
		return none, fmt.Errorf("taking turns beside the state file: %w", err)
	}
	name := url.URL{Scheme: "file", Path: path, RawQuery: url.Values{"_pragma": {"busy_timeout(0)"}}.Encode()}
	handle, err := sql.Open("sqlite", name.String())
	if err != nil {
		return none, fmt.Errorf("taking turns beside the state file: %w", err)
	}
	handle.SetMaxOpenConns(1)
	for {
		_, err := handle.ExecContext(ctx, "BEGIN EXCLUSIVE")
		if err == nil {
			return func() { _ = handle.Close() }, nil // which ends the transaction
		}
		if !isBusy(err) {
			return none, errors.Join(fmt.Errorf("taking turns beside the state file: %w", err), handle.Close())
		}
		if err := wait(ctx, turnPoll); err != nil {
			return none, errors.Join(fmt.Errorf("waiting until another run has finished: %w", err), handle.Close())
		}
	}
}

// touch makes an empty file for its owner alone, if there is none. One that is there is not opened: closing it would release
// the locks that this very process has on it.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) // #nosec G304 -- beside the state file, which the settings name
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

func isBusy(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == busy
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
