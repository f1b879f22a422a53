package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// heartbeatTimeout bounds the ping: a service that watches us must not hold us up.
const heartbeatTimeout = 10 * time.Second

// heartbeat pings the URL after a good pass and URL/fail after a bad one, in the manner of the common dead man's switch
// services, so that silence is noticed. Without a URL it does nothing.
func (b *bot) heartbeat(ctx context.Context, good bool) error {
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
	ctx, cancel := context.WithTimeout(ctx, heartbeatTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), http.NoBody)
	if err != nil {
		return fmt.Errorf("pinging the heartbeat: %s is no URL", b.source("heartbeat-url"))
	}
	resp, err := b.http.Do(req)
	if err != nil {
		return fmt.Errorf("pinging the heartbeat (%s): no answer from %s", b.source("heartbeat-url"), u.Host)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("pinging the heartbeat (%s): %s answers %d", b.source("heartbeat-url"), u.Host, resp.StatusCode)
	}
	return nil
}
