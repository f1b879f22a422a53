package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite"

	"github.com/org/openclaw-litellm-action/report"
)

// version is the form of the tables that this program knows, as SQLite's user_version.
const version = 2

// schema makes the tables that are missing. It is idempotent; version 1 had no episodes.
//
//go:embed schema.sql
var schema string

// The driver registers itself as "sqlite".
var (
	_ driver.Driver  = (*sqlite.Driver)(nil)
	_ report.Journal = (*DB)(nil)
)

// ErrNewer says that a newer program made the file.
var ErrNewer = errors.New("the state file was made by a newer version")

// DB is an open state file. It is safe for concurrent use. Close it when done.
type DB struct {
	sql  *sql.DB
	path string
}

// Open opens the file at path, or makes it, for its owner alone; the folder has to be there. What is in the way of using
// it (no SQLite file, no permission, a newer version's) is the error, and then nothing in it is changed.
func Open(ctx context.Context, path string) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("opening the state file: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) // #nosec G304 -- the user names the file
	if err != nil {
		return nil, fmt.Errorf("opening the state file: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("opening the state file: %w", err)
	}
	pragmas := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)"}, "_txlock": {"immediate"}}
	name := url.URL{Scheme: "file", Path: path, RawQuery: pragmas.Encode()}
	handle, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, fmt.Errorf("opening the state file %s: %w", path, err)
	}
	handle.SetMaxOpenConns(1) // SQLite has one writer
	db := &DB{handle, path}
	if err := db.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the state file %s: %w", path, err), handle.Close())
	}
	return db, nil
}

// prepare makes the tables, unless a newer program did.
func (db *DB) prepare(ctx context.Context) error {
	var found int
	if err := db.sql.QueryRowContext(ctx, "PRAGMA user_version").Scan(&found); err != nil {
		return err
	}
	if found > version {
		return fmt.Errorf("%w: form %d, this one knows %d", ErrNewer, found, version)
	}
	if found == version {
		return nil
	}
	_, err := db.sql.ExecContext(ctx, schema+fmt.Sprintf("PRAGMA user_version = %d;", version))
	return err
}

// Close ends the use of the file.
func (db *DB) Close() error { return db.sql.Close() }

// Load returns the memory that was saved last, nil if none was.
func (db *DB) Load(ctx context.Context) ([]byte, error) {
	var memory []byte
	err := db.sql.QueryRowContext(ctx, "SELECT data FROM memory WHERE name = 'notices'").Scan(&memory)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading what was told from the state file: %w", err)
	}
	return memory, nil
}

// Save replaces the memory. After a crash either the old or the new one is there.
func (db *DB) Save(ctx context.Context, memory []byte) error {
	if memory == nil {
		memory = []byte{}
	}
	_, err := db.sql.ExecContext(ctx,
		"INSERT INTO memory (name, data) VALUES ('notices', $1) ON CONFLICT (name) DO UPDATE SET data = excluded.data", memory)
	if err != nil {
		return fmt.Errorf("saving what was told in the state file: %w", err)
	}
	return nil
}
