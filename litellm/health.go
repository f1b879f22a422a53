package litellm

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// versionShape is a release as the proxy tells it, perhaps with a suffix ("1.93.2rc1").
var versionShape = regexp.MustCompile(`^v?(\d{1,4})\.(\d{1,4})\.(\d{1,6})`)

// parseRelease reads a version; the zero Release if it is none.
func parseRelease(text string) Release {
	m := versionShape.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return Release{}
	}
	var r Release
	r.Major, _ = strconv.Atoi(m[1])
	r.Minor, _ = strconv.Atoi(m[2])
	r.Patch, _ = strconv.Atoi(m[3])
	r.Version = cut(oneLine(strings.TrimPrefix(strings.TrimSpace(text), "v")), 40)
	return r
}

// Release returns what the proxy says it is, learned once: at no cost from an earlier Readiness or Chat. A proxy that
// does not tell this key is the zero Release and no error.
func (c *Client) Release(ctx context.Context) (Release, error) {
	return c.release.get(ctx, func() (Release, error) {
		const op = "asking for the release"
		r, err := c.probe(ctx, op)
		switch {
		case err != nil:
			return Release{}, err
		case !r.Ready && !r.Release.Known(): // it may be told when the database is back
			return Release{}, &Error{Op: op, Kind: DatabaseDown, Message: "the proxy's database is " + cmp.Or(r.Database, "not connected")}
		}
		return r.Release, nil
	})
}

// Readiness asks whether the proxy and its database work. A database that is down is an answer (Ready false), not an
// error; an error means that no proxy answered.
func (c *Client) Readiness(ctx context.Context) (*Readiness, error) {
	r, err := c.probe(ctx, "asking whether the proxy is ready")
	if err != nil {
		return nil, err
	}
	if r.Release.Known() {
		c.release.note(r.Release)
	}
	return r, nil
}

// The answers to /health/readiness/details, which tells the release since 1.84 or so, and only to who may ask.
const (
	detailsUnknown int32 = iota
	detailsAnswer
	detailsRefused
	detailsUnlikely // the proxy looks older than the route
)

// guessAge takes from key rows which of the two routes to ask first: releases whose rows have no "last_active" (seen on
// 1.81, not on 1.93) have no details. Either order gives the same answer; the right one saves a request.
func (c *Client) guessAge(rows []Key) {
	if len(rows) == 0 {
		return
	}
	if _, told := rows[0].Raw["last_active"]; !told {
		c.details.CompareAndSwap(detailsUnknown, detailsUnlikely)
	}
}

// probe asks /health/readiness/details and, where that is not to be had, the open /health/readiness, which told the
// release itself up to about 1.83.
func (c *Client) probe(ctx context.Context, op string) (*Readiness, error) {
	q := call{op: op, method: http.MethodGet, path: "/health/readiness/details", final: DatabaseDown, wanted: tellsDatabase}
	if c.details.Load() == detailsUnlikely {
		if r, err := c.openReadiness(ctx, q); err != nil || r.Release.Known() || !r.Ready {
			return r, err
		}
	}
	if c.details.Load() != detailsRefused {
		a, err := c.do(ctx, q)
		if err == nil {
			c.details.Store(detailsAnswer)
			return readiness(op, a)
		}
		switch KindOf(err) {
		case ProxyDown, Interrupted, NotLiteLLM, TooLarge, RateLimited:
			return nil, err
		case DatabaseDown, ServerFault: // the open one tells more
		default:
			c.details.Store(detailsRefused)
		}
	}
	return c.openReadiness(ctx, q)
}

// openReadiness asks the route that is open to everybody.
func (c *Client) openReadiness(ctx context.Context, q call) (*Readiness, error) {
	q.path = "/health/readiness"
	start := c.now()
	a, err := c.do(ctx, q)
	if IsKind(err, DatabaseDown) { // 1.81 says so with an error
		return &Readiness{Database: "disconnected", Latency: c.now().Sub(start)}, nil
	}
	if err != nil {
		return nil, err
	}
	return readiness(q.op, a)
}

// tellsDatabase reports whether a body is a readiness answer: 503 with the database's state is one.
func tellsDatabase(status int, body []byte) bool {
	o, err := parseObject(body)
	return err == nil && status == http.StatusServiceUnavailable && o.has("db")
}

// readiness reads the answer of either route.
func readiness(op string, a *answer) (*Readiness, error) {
	r := reader{}
	r.object, r.err = parseObject(a.body)
	out := &Readiness{Release: parseRelease(r.text("litellm_version")), Database: r.text("db"), Latency: a.latency}
	out.Ready = a.status == http.StatusOK && strings.EqualFold(out.Database, "connected")
	if r.err != nil || !r.has("status") {
		return nil, ours(&Error{Op: op, Kind: NotLiteLLM, Status: a.status,
			Message: `the answer has no "status": is the address that of a LiteLLM proxy?`})
	}
	return out, nil
}

// LatestHealth returns the latest background health check of every deployment, ordered by model: empty where the proxy
// runs none (background_health_checks), and on every known release while its database is down. It causes no model call.
func (c *Client) LatestHealth(ctx context.Context) ([]HealthCheck, error) {
	const op = "reading the latest health checks"
	o, _, err := c.get(ctx, call{op: op, path: "/health/latest"}, "latest_health_checks")
	if err != nil {
		return nil, err
	}
	r := reader{object: o}
	checks := []HealthCheck{}
	for id, raw := range r.inner("latest_health_checks") {
		h, err := c.readHealth(id, raw)
		if err != nil {
			return nil, unreadable(op, err)
		}
		checks = append(checks, h)
	}
	if r.err != nil {
		return nil, unreadable(op, r.err)
	}
	slices.SortFunc(checks, func(a, b HealthCheck) int {
		return strings.Compare(a.Model+"\x00"+a.ModelID, b.Model+"\x00"+b.ModelID)
	})
	return checks, nil
}

func (c *Client) readHealth(id string, raw json.RawMessage) (HealthCheck, error) {
	r := reader{}
	r.object, r.err = parseObject(raw)
	return HealthCheck{
		Model: r.text("model_name"), ModelID: cmp.Or(r.text("model_id"), id), Healthy: r.text("status") == "healthy",
		Error: clean(r.text("error_message"), c.Key), CheckedAt: r.time("checked_at"),
	}, r.err
}
