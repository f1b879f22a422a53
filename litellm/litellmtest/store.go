package litellmtest

import (
	"fmt"
	"sync"
	"time"

	"github.com/shopspring/decimal"
)

// store is the database of one or more workers.
type store struct {
	mu      sync.Mutex
	keys    map[string]*keyRow  // :: token → row
	order   []string            // tokens in order of creation, deleted ones left out
	deleted []*keyRow           // archived, in order of deletion
	users   map[string]*userRow // :: user id → row
	people  []string            // user ids in order of creation
	teams   map[string]*teamRow // :: team id → row
	logs    []*logRow           // by start time
	seen    map[string]bool     // :: request id of each log row
	daily   map[dailyKey]*dailyRow
	pending []pendingCall // not in the rows yet, in order of the call
	workers []*Proxy
	noLogs  bool      // calls leave no log row
	serial  int       // makes ids, so that they are deterministic
	next    time.Time // the earliest budget reset of any row; zero: not known, look
}

func newStore() *store {
	return &store{
		keys: map[string]*keyRow{}, users: map[string]*userRow{}, teams: map[string]*teamRow{},
		seen: map[string]bool{}, daily: map[dailyKey]*dailyRow{},
	}
}

// join makes a worker known, so that a flush can settle what it counts ahead of the rows.
func (s *store) join(p *Proxy) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.workers = append(s.workers, p)
}

// settle does whatever is due by now: flushes and budget resets, in order of time.
func (s *store) settle(now time.Time) {
	s.flushUntil(now)
	s.resetUntil(now)
}

// pendingCall is a finished call whose cost and log row are not written yet.
type pendingCall struct {
	worker *Proxy
	row    *logRow
	due    time.Time
	lost   bool // made while the database was down: the row arrives later, the spend never does
	past   bool // laid out as history: it counts only in windows that it falls into
}

// adds is what the call adds to the spend of a row with such a window.
func (p pendingCall) adds(w window) decimal.Decimal {
	if p.past && p.row.start.Before(w.start()) {
		return decimal.Zero
	}
	return p.row.spend
}

// flushUntil writes every call that is due by now.
func (s *store) flushUntil(now time.Time) {
	left := s.pending[:0]
	for _, call := range s.pending {
		if call.due.After(now) || call.worker.dbDown.Load() {
			left = append(left, call)
			continue
		}
		s.write(call)
	}
	clear(s.pending[len(left):])
	s.pending = left
}

// write puts one call into the rows and takes it out of its worker's own count.
func (s *store) write(call pendingCall) {
	row := call.row
	for _, subject := range row.subjects() {
		call.worker.settleLive(subject, row.spend)
	}
	s.addLog(row)
	if call.lost {
		return
	}
	if key := s.keys[row.token]; key != nil {
		key.spend = key.spend.Add(call.adds(key.window))
		key.total = key.total.Add(row.spend)
		if row.status == statusSuccess {
			key.lastActive = millis(row.end)
		}
	}
	if user := s.users[row.userID]; user != nil {
		user.spend = user.spend.Add(call.adds(user.window))
	}
	if team := s.teams[row.teamID]; team != nil {
		team.spend = team.spend.Add(call.adds(team.window))
		if member := team.members[row.userID]; member != nil {
			member.spend = member.spend.Add(call.adds(member.window))
		}
	}
}

// resetUntil starts a new window for every row whose window ended by now.
func (s *store) resetUntil(now time.Time) {
	if !s.next.IsZero() && now.Before(s.next) {
		return
	}
	s.next = now.Add(24 * time.Hour)
	for _, token := range s.order {
		key := s.keys[token]
		s.resetRow(&key.window, &key.spend, now)
	}
	for _, user := range s.users {
		s.resetRow(&user.window, &user.spend, now)
	}
	for _, team := range s.teams {
		s.resetRow(&team.window, &team.spend, now)
		for _, member := range team.members {
			s.resetRow(&member.window, &member.spend, now)
		}
	}
}

// resetRow zeroes spend and moves the window on if it has ended, and notes when it ends next.
func (s *store) resetRow(w *window, spend *decimal.Decimal, now time.Time) {
	if w.resetAt.IsZero() {
		return
	}
	if !w.resetAt.After(now) {
		*spend = decimal.Zero
		w.resetAt = w.next(now)
	}
	if w.resetAt.Before(s.next) {
		s.next = w.resetAt
	}
}

// windowsChanged makes the next settle look at every row again.
func (s *store) windowsChanged() { s.next = time.Time{} }

// uuid makes an id, the same for the same calls.
func (s *store) uuid() string {
	s.serial++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", s.serial)
}

// touch moves a row behind all others in the order in which the database happens to return rows.
func (s *store) touch(row *keyRow) {
	s.serial++
	row.version = s.serial
}

// unlist takes a key out of the order of creation.
func (s *store) unlist(token string) {
	for i, other := range s.order {
		if other == token {
			s.order = append(s.order[:i], s.order[i+1:]...)
			return
		}
	}
}
