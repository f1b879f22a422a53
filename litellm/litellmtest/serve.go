package litellmtest

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// route is what a path does for one method.
type route struct {
	handle handler
	open   bool // needs no key
	llm    bool // part of the data plane: budgets are enforced
}

// routeOf finds what serves a request. known is false for paths that nothing serves with any method.
func (p *Proxy) routeOf(method, path string) (found route, known bool) {
	methods, ok := p.table[path]
	if !ok {
		if name, found := strings.CutPrefix(path, "/fallback/"); found && name != "" {
			methods, ok = map[string]route{"GET": {handle: fallbackOf}}, true
		} else if token, found := strings.CutSuffix(path, "/reset_spend"); found && strings.HasPrefix(token, "/key/") {
			methods, ok = map[string]route{"POST": {handle: keyResetSpend}}, true
		}
	}
	return methods[method], ok
}

// routes is the table of paths.
func routes() map[string]map[string]route {
	get := func(h handler) map[string]route { return map[string]route{"GET": {handle: h}} }
	post := func(h handler) map[string]route { return map[string]route{"POST": {handle: h}} }
	open := func(h handler) map[string]route { return map[string]route{"GET": {handle: h, open: true}} }
	chat := map[string]route{"POST": {handle: chatCompletion, llm: true}}
	models := map[string]route{"GET": {handle: modelList}}
	return map[string]map[string]route{
		"/key/generate": post(keyGenerate), "/key/update": post(keyUpdate), "/key/delete": post(keyDelete),
		"/key/block": post(keyBlock), "/key/unblock": post(keyUnblock),
		"/key/info": get(keyInfo), "/key/list": get(keyList),
		"/key/regenerate": post(keyRegenerate),

		"/user/new": post(userNew), "/user/update": post(userUpdate), "/user/delete": post(userDelete),
		"/user/info": get(userInfo), "/user/list": get(userList),

		"/team/new": post(teamNew), "/team/info": get(teamInfo), "/team/delete": post(teamDelete),
		"/team/member_add": post(teamMemberAdd), "/team/member_update": post(teamMemberUpdate),

		"/v1/chat/completions": chat, "/chat/completions": chat,
		"/v1/models": models, "/models": models,
		"/model/info": get(modelInfo), "/v1/model/info": get(modelInfo), "/model_group/info": get(modelGroupInfo),
		"/router/settings": get(routerSettings),

		"/spend/logs/v2":                  get(spendLogs),
		"/user/daily/activity":            get(dailyActivity),
		"/tag/daily/activity":             get(dailyActivity),
		"/customer/daily/activity":        get(dailyActivity),
		"/user/daily/activity/aggregated": get(dailyAggregated),

		"/health/liveliness": open(liveliness), "/health/liveness": open(liveliness),
		"/health/readiness": open(readiness), "/health/readiness/details": get(readinessDetails),
		"/health/latest": get(healthLatest),
	}
}

// serve answers one request: hook, log, faults, then the route.
func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	if hook := p.onServe.Load(); hook != nil {
		(*hook)(r)
	}
	raw := readAll(r)
	entry := p.log.add(r, raw)
	fault := p.faults.match(r, raw)
	if fault != nil && fault.before(w, r, entry) {
		return
	}
	status, header, body := p.answer(r, raw)
	entry.finish(status)
	if fault != nil && fault.after(entry) {
		panic(http.ErrAbortHandler)
	}
	for name, values := range header {
		w.Header()[name] = values
	}
	w.Header().Set("Date", p.clock().Format(http.TimeFormat))
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if fault != nil && fault.Truncate > 0 {
		fault.cut(w, body)
	}
	_, _ = w.Write(body) // #nosec G705 -- a fake, answering a test
}

// answer does what the request asks for.
func (p *Proxy) answer(r *http.Request, raw []byte) (int, http.Header, []byte) {
	header := http.Header{"Content-Type": {"application/json"}, "Vary": {"Origin"}}
	if p.fam == family81 {
		header["Server"] = []string{"uvicorn"}
	}
	c := &call{proxy: p, store: p.store, r: r, query: r.URL.Query(), raw: raw, header: header}
	var value any
	var err error
	p.locked(func(now time.Time) {
		c.now = now
		value, err = c.dispatch()
	})
	status, body := http.StatusOK, any(value)
	if err != nil {
		var refused *refusal
		if !errors.As(err, &refused) {
			refused = c.internal("%s", err)
		}
		status, body = refused.status, refused.body
		if text, plain := body.(string); plain {
			header.Set("Content-Type", "text/plain; charset=utf-8")
			return status, header, []byte(text)
		}
	}
	data, err := json.Marshal(body)
	if err != nil {
		return http.StatusInternalServerError, header, []byte(`{"error":{"message":"marshalling","type":null,"code":"500"}}`)
	}
	return status, header, data
}

// dispatch finds the route, checks the key and runs the handler. A refused call leaves a failure row.
func (c *call) dispatch() (any, error) {
	found, known := c.proxy.routeOf(c.r.Method, c.r.URL.Path)
	if !known || c.r.URL.Path == "/health/readiness/details" && c.family() == family81 {
		return nil, detail(http.StatusNotFound, "Not Found")
	}
	if found.handle == nil {
		return nil, detail(http.StatusMethodNotAllowed, "Method Not Allowed")
	}
	if !found.open {
		if err := c.authenticate(found); err != nil {
			c.logRefusal(err)
			return nil, err
		}
	}
	if c.proxy.dbDown.Load() && !found.open && !found.llm {
		return nil, c.databaseDown()
	}
	if err := c.readBody(); err != nil {
		return nil, err
	}
	return found.handle(c)
}
