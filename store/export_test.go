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
