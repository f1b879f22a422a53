package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/internal/netx"
	"github.com/org/openclaw-litellm-action/report"
)

const (
	// heartbeatTimeout bounds the ping with all its attempts: a service that watches us must not hold us up.
	heartbeatTimeout  = 10 * time.Second
	heartbeatAttempts = 3
)

// heartbeat pings the URL after a good pass and URL/fail after a bad one, in the manner of the common dead man's switch
// services, so that silence is noticed. The body says in a few lines how things stand, or what failed. A ping that got no
// answer is tried again, for one too many does no harm. Without a URL it does nothing.
func (b *bot) heartbeat(ctx context.Context, good bool, r report.Report) error {
	if b.set.Heartbeat.IsZero() {
		return nil
	}
	u, err := url.Parse(b.set.Heartbeat.Reveal())
	if err != nil {
		return fmt.Errorf("pinging the heartbeat: %s is no URL", b.source("heartbeat-url"))
	}
	if !good {
		u.Path = strings.TrimSuffix(u.Path, "/") + "/fail"
	}
	body := b.known.Redact(report.Heartbeat(r))
	ctx, cancel := context.WithTimeout(ctx, heartbeatTimeout)
	defer cancel()
	turn, err := b.systems.heartbeat.Begin(ctx, netx.Operation{Route: "the ping"})
	if err != nil {
		return fmt.Errorf("pinging the heartbeat (%s): %w", b.source("heartbeat-url"), err)
	}
	defer turn.Close()
	for n := 1; ; n++ {
		again, err := b.ping(turn, u, body)
		if err == nil || !again || !turn.Again(netx.Passing, heartbeatAttempts) {
			return err
		}
		if turn.Pause(time.Duration(n)*time.Second, b.sleep) != nil {
			return err
		}
	}
}

// ping makes one attempt. again tells that another one may do better. The URL is a secret: its path appears in no error.
func (b *bot) ping(turn *netx.Turn, u *url.URL, body string) (again bool, err error) {
	ctx, cancel := turn.Attempt(heartbeatTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(body))
	if err != nil {
		return false, fmt.Errorf("pinging the heartbeat: %s is no URL", b.source("heartbeat-url"))
	}
	req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	resp, err := b.http.Do(req)
	if err != nil {
		class := netx.Classify(err)
		err := fmt.Errorf("pinging the heartbeat (%s): no answer from %s", b.source("heartbeat-url"), u.Host)
		return class != netx.Lasting, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	if resp.StatusCode/100 != 2 {
		again := resp.StatusCode/100 == 5 || resp.StatusCode == http.StatusTooManyRequests
		return again, fmt.Errorf("pinging the heartbeat (%s): %s answers %d", b.source("heartbeat-url"), u.Host, resp.StatusCode)
	}
	return false, nil
}
