# shellcheck shell=bash
# Sourced by the scripts beside it: steps with a log and a time each, and where the live harness is.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# The folder that has litellm-live and actions-live, which run the real proxy and real Actions. Not part of this
# repository: a machine may be without it.
shared=${SHARED:-$(dirname "$root")/shared}
logs=$(mktemp -d "${TMPDIR:-/tmp}/ci.XXXXXX")
passed=0 failed=0 skipped=0
lines=()

# step NAME COMMAND...: runs it with its output in a log, which is shown if it fails. Lines that start with "note: " are
# repeated in the summary. Never ends the script. Not to be called in a condition: bash would then ignore `set -e` inside.
step() {
  local name=$1 log began=$SECONDS status note
  log=$logs/$(tr -c 'a-zA-Z0-9\n' - <<<"$name").log
  shift
  printf '%s %s … ' "$(date -u +%H:%M:%S)" "$name"
  set +e
  (set -euo pipefail; "$@") >"$log" 2>&1 </dev/null
  status=$?
  set -e
  note=$(sed -n 's/^note: //p' "$log" | paste -sd ';' | sed 's/;/; /g')
  if ((status == 0)); then
    passed=$((passed + 1))
    printf 'ok, %ds%s\n' $((SECONDS - began)) "${note:+ ($note)}"
    lines+=("$(printf '  ok      %5ds  %s%s' $((SECONDS - began)) "$name" "${note:+ ($note)}")")
  else
    failed=$((failed + 1))
    printf 'FAILED with %d, %ds\n' "$status" $((SECONDS - began))
    {
      grep -E '^ *--- FAIL|^FAIL|^panic:|^FAILED' "$log" | head -n 40 || true   # first of all, what of it failed
      echo '…'
      tail -n "${CI_LOG_LINES:-200}" "$log"
    } | cut -c1-500 | sed 's/^/    | /'
    lines+=("$(printf '  FAILED  %5ds  %s' $((SECONDS - began)) "$name")")
  fi
}

# skip NAME WHY: says what does not run here.
skip() {
  skipped=$((skipped + 1))
  echo "$(date -u +%H:%M:%S) $1 … skipped: $2"
  lines+=("$(printf '  skipped         %s: %s' "$1" "$2")")
}

# summary: prints all steps, ends with a line that counts, and returns whether all is well.
summary() {
  echo
  printf '%s\n' "${lines[@]}"
  echo
  echo "${failed} of $((passed + failed)) steps failed, ${skipped} skipped, in ${SECONDS}s"
  echo "$passed passed, $failed failed, $skipped skipped"
  ((failed == 0))
}

# packages COMMAND PACKAGE...: installs Debian packages unless the command is there.
packages() {
  local command=$1
  shift
  if command -v "$command" >/dev/null; then return; fi
  if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
    echo "$command is missing: install $*" >&2
    return 1
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}
