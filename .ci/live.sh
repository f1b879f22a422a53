# shellcheck shell=bash
# Sourced by run: the real LiteLLM proxy with PostgreSQL, and the Action in a real container. Each function is one step.

releases=(1.81.13 1.93.2 1.106.10)
newest=${releases[-1]}
latest=1.110.2        # incidents are tried on it as well, and nothing else
incidents='Live(Squat|TakenOver|OurClock|Drill)'
export LITELLM_LIVE_MASTER_KEY=${LITELLM_MASTER_KEY:-sk-master-1234567890123456}
config=$root/observe/testdata/litellm.yaml   # of the proxies: what judgement needs besides keys and budgets
second=$logs/second   # folder of the second proxy on one database
zoned=$logs/zoned     # litellm-live's cache for the proxy in another time zone

live() {
  proxies
  actions
  github
}

# proxies runs what needs a real proxy, against each release.
proxies() {
  if [[ ! -x $shared/litellm-live/up ]]; then
    skip 'real LiteLLM proxies' "there is no $shared/litellm-live on this machine (SHARED names another place)"
    return
  fi
  step 'PostgreSQL' postgres
  local release up=() databases=()
  for release in "${releases[@]}"; do
    step "LiteLLM $release is up" start_proxy "$release"
    is_up "$release" || continue
    up+=("$release=$(proxy_url "$release")")
    databases+=("$release=$(<"$(litellm_cache)/run/$release/database_url")")
  done
  step "a second LiteLLM $newest on the same database" "$root/.ci/second-proxy" "$newest" "$second"
  LITELLM_LIVE=$(IFS=,; echo "${up[*]}")
  LITELLM_LIVE_DATABASE=$(IFS=,; echo "${databases[*]}")
  export LITELLM_LIVE LITELLM_LIVE_DATABASE
  if [[ -s $second/url ]]; then export LITELLM_LIVE_SECOND=$newest=$(<"$second/url"); fi
  step 'contract: real LiteLLM and the one in memory' live_test ./litellm Contract
  # Two releases at a time: three proxies on two cores do not answer the five calls a second that the agents have to make.
  step 'agents through rotations on real LiteLLM' live_test ./rotate LiveAgents -parallel 2
  LIVE_SEQUENCES=${LIVE_SEQUENCES:-16} step 'money and access through rotations on real LiteLLM' \
    live_test ./rotate Live -parallel 3 -skip "LiveAgents|$incidents"
  step 'end to end against real LiteLLM' live_test ./cmd/bot 'TestLive' -skip "$incidents"
  incidents
  openclaw
  # Last on these proxies: it takes their databases away for a while.
  LITELLM_LIVE_OUTAGE=1 step 'figures equal SQL, evidence, rights, outages' live_test ./observe Live
  step "LiteLLM $newest in another time zone, with health checks" other_zone
}

# incidents lets squatters, take-overs, clocks and the drill of docs/runbook.md loose on every release, the latest included.
incidents() {
  step "LiteLLM $latest is up" start_proxy "$latest"
  if is_up "$latest"; then
    LITELLM_LIVE=$LITELLM_LIVE,$latest=$(proxy_url "$latest")
    LITELLM_LIVE_DATABASE=$LITELLM_LIVE_DATABASE,$latest=$(<"$(litellm_cache)/run/$latest/database_url")
  fi
  step 'incidents on real LiteLLM: squatters, take-overs, clocks' live_test ./rotate "$incidents" -parallel 4
  step 'the incident drill on real LiteLLM' live_test ./cmd/bot "$incidents" -parallel 4
  LITELLM_LIVE=${LITELLM_LIVE%,"$latest"=*}
  LITELLM_LIVE_DATABASE=${LITELLM_LIVE_DATABASE%,"$latest"=*}
  if [[ -e $logs/started-$latest ]]; then "$shared/litellm-live/down" "$latest" && rm -f "$logs/started-$latest"; fi
}

# openclaw runs the real OpenClaw CLI and gateway before the real proxies: docs/openclaw.md command by command, agents, a
# rotation under load, pictures, spent budgets.
openclaw() {
  if [[ ! -x $shared/openclaw-live/install ]]; then
    skip 'the real OpenClaw' "there is no $shared/openclaw-live on this machine (SHARED names another place)"
    return
  fi
  if ! command -v npm >/dev/null; then
    skip 'the real OpenClaw' 'there is no npm on this machine'
    return
  fi
  step 'OpenClaw is installed' "$shared/openclaw-live/install"
  export OPENCLAW_LIVE=$shared/openclaw-live
  step "what lint and config say, against OpenClaw's own validator" live_test ./openclaw TestReal
  step 'OpenClaw before real LiteLLM, docs/openclaw.md included' live_test ./cmd/bot TestRealOpenClaw
}

# other_zone holds windows and health against a proxy that resets budgets in New York, at noon, and checks its deployments.
other_zone() {
  local link status=0
  mkdir -p "$zoned"
  for link in "$newest" npm uv; do
    [[ -e $(litellm_cache)/$link ]] && ln -sfn "$(readlink -f "$(litellm_cache)/$link")" "$zoned/$link"
  done
  touch "$logs/started-zoned"   # so that it is stopped, whatever happens
  LITELLM_LIVE_CACHE=$zoned LITELLM_MASTER_KEY=$LITELLM_LIVE_MASTER_KEY \
    "$shared/litellm-live/up" "$newest" --config "$root/observe/testdata/zoned.yaml" >/dev/null
  LITELLM_LIVE=$newest=$(<"$zoned/run/$newest/url") LITELLM_LIVE_DATABASE=$newest=$(<"$zoned/run/$newest/database_url") \
    LITELLM_LIVE_ZONE=America/New_York@12:00 live_test ./observe 'Live(Resets|Health)' || status=$?
  LITELLM_LIVE_CACHE=$zoned "$shared/litellm-live/down" "$newest" && rm -f "$logs/started-zoned"
  return "$status"
}

# actions runs the Action as GitHub would.
actions() {
  if [[ ! -x $shared/actions-live/up ]]; then
    skip 'the Action in a container' "there is no $shared/actions-live on this machine (SHARED names another place)"
    return
  fi
  step 'Docker and act are up' "$shared/actions-live/up"
  if ! is_up "$newest"; then
    failed=$((failed + 1))
    lines+=("  FAILED          the Action in a container: LiteLLM $newest is not up")
    return
  fi
  LITELLM_BASE_URL=$(proxy_url "$newest") step 'the Action in a container' "$root/.ci/act"
}

# github runs what needs GitHub's own description of its API, and libsodium.
github() {
  if ! command -v npm >/dev/null; then
    skip 'requests are as GitHub describes them' 'there is no npm on this machine'
    return
  fi
  step 'requests are as GitHub describes them, libsodium opens what is sealed' "$root/.ci/github-openapi"
}

postgres() {
  compgen -G '/usr/lib/postgresql/*/bin/initdb' || packages initdb postgresql
  compgen -G '/usr/lib/postgresql/*/bin/initdb' || command -v initdb
}

litellm_cache() { echo "${LITELLM_LIVE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/litellm-live}"; }
proxy_url() { cat "$(litellm_cache)/run/$1/url"; }

# is_up RELEASE: whether its proxy answers to our master key.
is_up() {
  curl -fs -m 20 -o /dev/null -H "Authorization: Bearer $LITELLM_LIVE_MASTER_KEY" \
    "$(proxy_url "$1" 2>/dev/null)/key/list?size=1" 2>/dev/null
}

# start_proxy RELEASE: uses the one that is up, waits for one that is starting, clears away one that died.
start_proxy() {
  local release=$1 run
  run=$(litellm_cache)/run/$release
  for ((i = 0; i < 30; i++)); do
    if is_up "$release"; then
      echo "note: $(proxy_url "$release")"
      return
    fi
    [[ -s $run/proxy.pid ]] && kill -0 "$(<"$run/proxy.pid")" 2>/dev/null || break
    sleep 2
  done
  if [[ -L $run ]]; then "$shared/litellm-live/down" "$release"; fi
  touch "$logs/started-$release"   # so that it is stopped, too
  LITELLM_MASTER_KEY=$LITELLM_LIVE_MASTER_KEY "$shared/litellm-live/up" "$release" --config "$config" >/dev/null
  is_up "$release"
  echo "note: started, $(proxy_url "$release")"
}

# live_test PACKAGE PATTERN [FLAG...]: runs live tests. That none ran is a failure; those that were skipped are named with why.
live_test() {
  local status=0 ran
  go test "$1" -run "$2" -count=1 -timeout 20m -v "${@:3}" >"$logs/live" 2>&1 || status=$?
  grep -v '^=== ' "$logs/live"
  ran=$(grep -c -E '^ *--- PASS' "$logs/live") || true
  echo "note: $ran passed"
  awk '$1 == "===" { name = $3 }
       /^ +[a-z0-9_]+_test\.go:[0-9]+: / { said[name] = $0; sub(/^[^ ]* *[^ ]+: /, "", said[name]) }
       $1 == "---" && $2 == "SKIP:" { print "note: skipped " $3 " (" said[$3] ")" }' "$logs/live"
  ((status == 0)) && ((ran > 0)) || { echo "no test ran, or one failed" >&2; return 1; }
}

# stop_live stops what was started here, and nothing else.
stop_live() {
  if [[ -s $second/pid ]]; then kill "$(<"$second/pid")" 2>/dev/null || true; fi
  if [[ -e $logs/started-zoned ]]; then LITELLM_LIVE_CACHE=$zoned "$shared/litellm-live/down" "$newest" || true; fi
  local release
  for release in "${releases[@]}" "$latest"; do
    if [[ -e $logs/started-$release ]]; then "$shared/litellm-live/down" "$release" || true; fi
  done
}
