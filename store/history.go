package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/internal/figure"
	"github.com/org/openclaw-litellm-action/report"
)

const (
	// kept is how long figures are kept; of days older than fresh, the last of each key alone.
	kept  = 400 * 24 * time.Hour
	fresh = 2 * 24 * time.Hour
	// apart is how long a trouble may not have been seen and still be the same one: passes may be an hour apart.
	apart = 2 * time.Hour
)

// Record keeps the key figures of r, in place of what was kept of the same second, and forgets what is older than 400
// days. Figures that did not change take no room, and of a day that is over only its last ones stay. Rows in the future,
// which a clock recorded that has since been set back, stay and are ignored. A plan is not recorded. Either all of it is
// kept or nothing.
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
	if err := forget(ctx, tx, r.GeneratedAt); err != nil {
		return err
	}
	if err := addPass(ctx, tx, r); err != nil {
		return err
	}
	for _, e := range report.Episodes(r) {
		if err := addEpisode(ctx, tx, e); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// forget removes what is too old, what the same second holds, and all but the last figures of the day that has just
// become old.
func forget(ctx context.Context, tx *sql.Tx, now time.Time) error {
	at, old := now.Unix(), now.Add(-kept).Unix()
	for _, query := range []string{"DELETE FROM figures WHERE at = $1 OR at < $2", "DELETE FROM passes WHERE at = $1 OR at < $2"} {
		if _, err := tx.ExecContext(ctx, query, at, old); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM episodes WHERE ended < $1", old); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM figures WHERE at >= $1 AND at < $2 AND EXISTS
		(SELECT 1 FROM figures f WHERE f.key = figures.key AND f.at > figures.at AND f.at / 86400 = figures.at / 86400)`,
		now.Add(-2*fresh).Unix(), now.Add(-fresh).Unix())
	return err
}

func addPass(ctx context.Context, tx *sql.Tx, r report.Report) error {
	at := r.GeneratedAt.Unix()
	if _, err := tx.ExecContext(ctx,
		"INSERT INTO passes (at, command, rotated, infos, warnings, criticals, failures) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		at, r.Command, r.Totals.Rotated, r.Totals.Info, r.Totals.Warnings, r.Totals.Criticals, r.Totals.Failures); err != nil {
		return err
	}
	for _, k := range r.Keys {
		if _, err := tx.ExecContext(ctx, `INSERT INTO figures (at, key, generation, spend, max_budget, worst)
			SELECT $1, $2, $3, $4, $5, $6 WHERE NOT EXISTS (SELECT 1 FROM figures WHERE key = $2
			AND at = (SELECT MAX(at) FROM figures WHERE key = $2 AND at <= $1) AND generation = $3 AND worst = $6
			AND COALESCE(spend, '') = COALESCE($4, '') AND COALESCE(max_budget, '') = COALESCE($5, ''))`,
			at, k.Name, k.Generation, text(k.Spend), text(k.MaxBudget), k.Worst); err != nil {
			return err
		}
	}
	return nil
}

// addEpisode makes the trouble longer that it goes on with, or begins one.
func addEpisode(ctx context.Context, tx *sql.Tx, e report.Episode) error {
	var began sql.NullInt64
	err := tx.QueryRowContext(ctx,
		"SELECT MAX(began) FROM episodes WHERE kind = $1 AND subject = $2 AND detail = $3 AND ended >= $4 AND began <= $5",
		e.Kind, e.Subject, e.Detail, e.From.Add(-apart).Unix(), e.To.Unix()).Scan(&began)
	if err != nil {
		return err
	}
	if began.Valid {
		_, err = tx.ExecContext(ctx,
			"UPDATE episodes SET ended = $5 WHERE kind = $1 AND subject = $2 AND detail = $3 AND began = $4 AND ended < $5",
			e.Kind, e.Subject, e.Detail, began.Int64, e.To.Unix())
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO episodes (kind, subject, detail, began, ended) VALUES ($1, $2, $3, $4, $5)",
		e.Kind, e.Subject, e.Detail, e.From.Unix(), e.To.Unix())
	return err
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

// amount reads what text gives: null where it is null, or not a number that is believed.
func amount(text sql.NullString) decimal.NullDecimal {
	d, err := figure.Parse(text.String)
	return decimal.NullDecimal{Decimal: d, Valid: text.Valid && err == nil}
}

// History returns what past passes saw from since on; nil if there was none.
func (db *DB) History(ctx context.Context, since time.Time) (*report.History, error) {
	h := &report.History{Keys: []report.KeyPast{}, Episodes: []report.Episode{}}
	for _, read := range []func(context.Context, time.Time, *report.History) error{db.passes, db.figures, db.episodes} {
		if err := read(ctx, since, h); err != nil {
			return nil, fmt.Errorf("reading what past passes saw from the state file: %w", err)
		}
	}
	if h.Passes == 0 {
		return nil, nil
	}
	return h, nil
}

func (db *DB) passes(ctx context.Context, since time.Time, h *report.History) error {
	var first, failed, rotated sql.NullInt64 // null where there is no pass
	err := db.sql.QueryRowContext(ctx,
		"SELECT MIN(at), COUNT(*), SUM(CASE WHEN failures > 0 THEN 1 ELSE 0 END), SUM(rotated) FROM passes WHERE at >= $1", since.Unix()).
		Scan(&first, &h.Passes, &failed, &rotated)
	h.From, h.Failed, h.Rotated = time.Unix(first.Int64, 0).UTC(), int(failed.Int64), int(rotated.Int64)
	return err
}

func (db *DB) figures(ctx context.Context, since time.Time, h *report.History) error {
	rows, err := db.sql.QueryContext(ctx,
		"SELECT at, key, generation, spend, max_budget FROM figures WHERE at >= $1 ORDER BY key, at", since.Unix())
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var p report.Point
		var key string
		var at int64
		var spend, limit sql.NullString
		if err := rows.Scan(&at, &key, &p.Generation, &spend, &limit); err != nil {
			return err
		}
		p.Spend, p.MaxBudget = amount(spend), amount(limit)
		p.At, p.Used = time.Unix(at, 0).UTC(), report.UsedShare(p.Spend, p.MaxBudget)
		if n := len(h.Keys); n == 0 || h.Keys[n-1].Name != key {
			h.Keys = append(h.Keys, report.KeyPast{Name: key})
		}
		last := &h.Keys[len(h.Keys)-1]
		last.Points = append(last.Points, p)
	}
	return rows.Err()
}

func (db *DB) episodes(ctx context.Context, since time.Time, h *report.History) error {
	rows, err := db.sql.QueryContext(ctx,
		"SELECT kind, subject, detail, began, ended FROM episodes WHERE ended >= $1 ORDER BY began, kind, subject, detail", since.Unix())
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var e report.Episode
		var began, ended int64
		if err := rows.Scan(&e.Kind, &e.Subject, &e.Detail, &began, &ended); err != nil {
			return err
		}
		e.From, e.To = time.Unix(began, 0).UTC(), time.Unix(ended, 0).UTC()
		h.Episodes = append(h.Episodes, e)
	}
	return rows.Err()
}
