package githubtest

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Limits are GitHub's limits for each token, by the server's clock; zero fields enforce nothing.
type Limits struct {
	ContentPerMinute int // writes; GitHub: about 80
	ContentPerHour   int // writes; GitHub: about 500
	PointsPerMinute  int // a read is 1, a write 5; GitHub: 900
	RequestsPerHour  int // the primary limit; GitHub: 5000 for a person, 1000 for GITHUB_TOKEN
	Status           int // of a secondary limit's answer: 403 or 429; 0: 403
}

// GitHubLimits are the limits that GitHub states.
func GitHubLimits() Limits {
	return Limits{ContentPerMinute: 80, ContentPerHour: 500, PointsPerMinute: 900, RequestsPerHour: 5000}
}

// used is one request in the past.
type used struct {
	at     time.Time
	points int // 5 for a write
}

// meter is what one token has used, oldest first.
type meter struct{ past []used }

// meter counts a request of token, a read or a write, and returns the refusal if it is one too many. The lock is held.
func (s *Server) meter(token string, read bool) (reply, bool) {
	if s.limits == (Limits{}) {
		return reply{}, false
	}
	m := s.meters[token]
	if m == nil {
		m = &meter{}
		s.meters[token] = m
	}
	now := s.now()
	m.past = slices.DeleteFunc(m.past, func(u used) bool { return now.Sub(u.at) >= time.Hour })
	points := 1
	if !read {
		points = 5
	}
	if limit := s.limits.RequestsPerHour; limit > 0 && len(m.past) >= limit {
		return primary(limit, m.past[len(m.past)-limit].at.Add(time.Hour)), true
	}
	if free := s.freeAt(m, now, points); free.After(now) {
		return s.secondary(free.Sub(now)), true
	}
	m.past = append(m.past, used{now, points})
	return reply{}, false
}

// freeAt returns when a request of that many points fits all secondary limits; now or earlier if it does already.
func (s *Server) freeAt(m *meter, now time.Time, points int) time.Time {
	free := m.fits(now, time.Minute, s.limits.PointsPerMinute, points, func(u used) int { return u.points })
	if points > 1 {
		writes := func(u used) int {
			if u.points > 1 {
				return 1
			}
			return 0
		}
		free = later(free, m.fits(now, time.Minute, s.limits.ContentPerMinute, 1, writes))
		free = later(free, m.fits(now, time.Hour, s.limits.ContentPerHour, 1, writes))
	}
	return free
}

// fits returns when need more fit into limit per window, the zero time if they do now.
func (m *meter) fits(now time.Time, window time.Duration, limit, need int, weigh func(used) int) time.Time {
	if limit == 0 {
		return time.Time{}
	}
	sum := need
	for _, u := range slices.Backward(m.past) {
		if now.Sub(u.at) >= window {
			break
		}
		if sum += weigh(u); sum > limit {
			return u.at.Add(window)
		}
	}
	return time.Time{}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// secondary is GitHub's answer to somebody too fast.
func (s *Server) secondary(wait time.Duration) reply {
	status := s.limits.Status
	if status == 0 {
		status = http.StatusForbidden
	}
	answer := refuse(status, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.")
	seconds := int((wait + time.Second - 1) / time.Second)
	answer.header = http.Header{"Retry-After": {strconv.Itoa(seconds)}}
	return answer
}

// primary is GitHub's answer to a token whose hour is used up.
func primary(limit int, reset time.Time) reply {
	answer := refuse(http.StatusForbidden, "API rate limit exceeded")
	answer.header = http.Header{
		"X-Ratelimit-Limit":     {strconv.Itoa(limit)},
		"X-Ratelimit-Remaining": {"0"},
		"X-Ratelimit-Reset":     {strconv.FormatInt(reset.Unix()+1, 10)},
	}
	return answer
}
