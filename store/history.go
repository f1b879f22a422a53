package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/report"
)

// kept is how long figures are kept.
const kept = 400 * 24 * time.Hour

// Pass is what is kept of one report.
type Pass struct {
	At                                            time.Time
	Command                                       string
	Rotated, Infos, Warnings, Criticals, Failures int
	Figures                                       []Figure // by key
}

// Figure is what is kept of one key in a pass.
type Figure struct {
	Key        string
	Generation int                 // -1: none, or not known
	Spend      decimal.NullDecimal // USD in the window
	MaxBudget  decimal.NullDecimal
	Worst      string // severity of its worst finding; "" for none
}

// Record keeps the key figures of r, in place of what was kept of the same second, and forgets what is older than 400
// days. A plan is not recorded. Either all of it is kept or nothing.
func (db *DB) Record(ctx context.Context, r report.Report) (err error) {
	if r.DryRun {
		return nil
	}
	tx, err := db.sql.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("recording the report: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("recording the report: %w", err), ignoreDone(tx.Rollback()))
		}
	}()
	at := r.GeneratedAt.Unix()
	for _, drop := range []string{"DELETE FROM figures WHERE at = $1 OR at < $2", "DELETE FROM passes WHERE at = $1 OR at < $2"} {
		if _, err := tx.ExecContext(ctx, drop, at, r.GeneratedAt.Add(-kept).Unix()); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx,
		"INSERT INTO passes (at, command, rotated, infos, warnings, criticals, failures) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		at, r.Command, r.Totals.Rotated, r.Totals.Info, r.Totals.Warnings, r.Totals.Criticals, r.Totals.Failures); err != nil {
		return err
	}
	for _, k := range r.Keys {
		if _, err := tx.ExecContext(ctx,
			"INSERT INTO figures (at, key, generation, spend, max_budget, worst) VALUES ($1, $2, $3, $4, $5, $6)",
			at, k.Name, k.Generation, text(k.Spend), text(k.MaxBudget), k.Worst); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// ignoreDone drops the error of rolling back what has ended already.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// text is an amount as it is kept: exact, and null where it is not known.
func text(d decimal.NullDecimal) sql.NullString {
	return sql.NullString{String: d.Decimal.String(), Valid: d.Valid}
}

// History returns what was kept of the passes from since on, in order of time.
func (db *DB) History(ctx context.Context, since time.Time) ([]Pass, error) {
	passes, err := db.passes(ctx, since)
	if err != nil {
		return nil, fmt.Errorf("reading past reports: %w", err)
	}
	if err := db.figures(ctx, since, passes); err != nil {
		return nil, fmt.Errorf("reading past reports: %w", err)
	}
	return passes, nil
}

func (db *DB) passes(ctx context.Context, since time.Time) ([]Pass, error) {
	rows, err := db.sql.QueryContext(ctx,
		"SELECT at, command, rotated, infos, warnings, criticals, failures FROM passes WHERE at >= $1 ORDER BY at", since.Unix())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var passes []Pass
	for rows.Next() {
		var p Pass
		var at int64
		if err := rows.Scan(&at, &p.Command, &p.Rotated, &p.Infos, &p.Warnings, &p.Criticals, &p.Failures); err != nil {
			return nil, err
		}
		p.At = time.Unix(at, 0).UTC()
		passes = append(passes, p)
	}
	return passes, rows.Err()
}

// figures adds the keys' figures to passes, which are in order of time.
func (db *DB) figures(ctx context.Context, since time.Time, passes []Pass) error {
	rows, err := db.sql.QueryContext(ctx,
		"SELECT at, key, generation, spend, max_budget, worst FROM figures WHERE at >= $1 ORDER BY at, key", since.Unix())
	if err != nil {
		return err
	}
	defer rows.Close()
	i := 0
	for rows.Next() {
		var f Figure
		var at int64
		if err := rows.Scan(&at, &f.Key, &f.Generation, &f.Spend, &f.MaxBudget, &f.Worst); err != nil {
			return err
		}
		for i < len(passes) && passes[i].At.Unix() < at {
			i++
		}
		if i < len(passes) && passes[i].At.Unix() == at {
			passes[i].Figures = append(passes[i].Figures, f)
		}
	}
	return rows.Err()
}
