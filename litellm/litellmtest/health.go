package litellmtest

import (
	"net/http"
	"time"
)

// check is the latest background health check of a model group.
type check struct {
	healthy bool
	message string
	at      time.Time
}

// liveliness is GET /health/liveliness: the process answers, whatever its database does.
func liveliness(*call) (any, error) { return "I'm alive!", nil }

// readiness is GET /health/readiness. Only old releases tell their version there.
func readiness(c *call) (any, error) {
	if c.proxy.dbDown.Load() {
		if c.family() == family81 {
			return nil, envelope(http.StatusServiceUnavailable, typeInternal, "None",
				"Service Unhealthy (Can't reach database server)")
		}
		return nil, &refusal{status: http.StatusServiceUnavailable, body: object{"status": "healthy", "db": "disconnected"}}
	}
	if c.family() == family81 {
		return object{
			"status": "connected", "db": "connected", "cache": nil, "litellm_version": c.proxy.release,
			"success_callbacks": []string{}, "use_aiohttp_transport": true, "last_updated": stamp{c.now, ""},
		}, nil
	}
	return object{"status": "healthy", "db": "connected"}, nil
}

// readinessDetails is GET /health/readiness/details, from 93 on.
func readinessDetails(c *call) (any, error) {
	return object{
		"status": "healthy", "db": "connected", "cache": nil, "litellm_version": c.proxy.release,
		"success_callbacks": []string{}, "use_aiohttp_transport": true, "log_level": "WARNING", "is_detailed_debug": false,
	}, nil
}

// healthLatest is GET /health/latest: empty unless background checks run (SetHealth).
func healthLatest(c *call) (any, error) {
	checks := object{}
	c.proxy.models.mu.Lock()
	defer c.proxy.models.mu.Unlock()
	for _, spec := range c.proxy.models.specs {
		latest, ok := c.proxy.models.check[spec.Name]
		if !ok {
			continue
		}
		status, up, down := "healthy", 1, 0
		if !latest.healthy {
			status, up, down = "unhealthy", 0, 1
		}
		checks[spec.id()] = object{
			"model_name": spec.Name, "model_id": spec.id(), "status": status, "healthy_count": up, "unhealthy_count": down,
			"error_message": orNull(latest.message), "response_time_ms": chatTime.Milliseconds(), "checked_at": offset(latest.at),
		}
	}
	return object{"latest_health_checks": checks, "total_models": len(checks)}, nil
}

// databaseDown is what a management route answers while the database cannot be reached.
func (c *call) databaseDown() *refusal {
	const text = "Can't reach database server at `127.0.0.1`:`5432`"
	switch path := c.r.URL.Path; {
	case path == "/key/block" || path == "/key/unblock":
		switch c.family() {
		case family81:
			return &refusal{status: http.StatusInternalServerError, body: "Internal Server Error", text: text}
		case family93:
			return &refusal{status: http.StatusInternalServerError, text: text,
				body: object{"error": object{"message": text, "type": typeInternal}}}
		default:
			return envelope(http.StatusServiceUnavailable, typeNoDB, nil, "%s", text)
		}
	default:
		return c.internal("%s", text)
	}
}

// unreachable is what a key gets that is not in the worker's cache while the database cannot be reached.
func (c *call) unreachable() *refusal {
	if c.family() == family81 {
		return authRefused("Can't reach database server at `127.0.0.1`:`5432`")
	}
	return envelope(http.StatusServiceUnavailable, typeNoDB, nil, "Service Unavailable: the database cannot be reached")
}
