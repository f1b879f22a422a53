package store

import (
	"context"
	"fmt"
)

// SetVersion makes the file that of another version.
func (db *DB) SetVersion(ctx context.Context, v int) error {
	_, err := db.sql.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", v))
	return err
}

// MakeVersion1 takes away what version 1 did not have.
func (db *DB) MakeVersion1(ctx context.Context) error {
	_, err := db.sql.ExecContext(ctx, "DROP TABLE episodes; DROP INDEX figures_by_key; PRAGMA user_version = 1")
	return err
}

// SetSpend writes what a figure's spend is, as text.
func (db *DB) SetSpend(ctx context.Context, text string) error {
	_, err := db.sql.ExecContext(ctx, "UPDATE figures SET spend = $1", text)
	return err
}
