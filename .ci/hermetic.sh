# shellcheck shell=bash
# Sourced by run: what must hold without any outside system. Each function is one step.

staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2
actionlint=github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
gosec=github.com/securego/gosec/v2/cmd/gosec@v2.30.0
govulncheck=golang.org/x/vuln/cmd/govulncheck@v1.9.0
vulnerability_database=https://vuln.go.dev   # govulncheck's own

hermetic() {
  step 'tools' tools
  step 'modules are the ones recorded' modules
  step 'build' build
  step 'gofmt' formatted
  step 'go vet' go vet ./...
  step 'staticcheck' go run "$staticcheck" ./...
  step 'gosec' security
  step 'actionlint' workflows
  step 'zizmor' trust
  step 'shell scripts parse' scripts
  step 'README names the two commands' named
  step 'go run ./cmd/bot run --sandbox' first_command
  step 'go test ./...' all_tests
  step 'go test -race ./...' race
  step 'fuzzing, a few seconds each' fuzzing
  vulnerabilities_if_possible
  step 'the page in Chromium, with axe-core' .ci/page
  step 'Slack messages against @slack/types' .ci/slack-types
}

tools() {
  packages gcc gcc libc6-dev   # for the race detector alone
  go version
  gcc --version | head -n 1
  echo "note: $(go env GOVERSION), $(nproc) cores"
}

modules() {
  go mod verify
  go mod tidy -diff
}

# build proves that the program needs no C: it has to run in an image without a libc.
build() {
  go build ./...
  CGO_ENABLED=0 go build -trimpath -o "$logs/bot" ./cmd/bot
  if ldd "$logs/bot"; then
    echo 'the program is linked to libraries' >&2
    return 1
  fi
  "$logs/bot" version
  echo "note: $(($(stat -c %s "$logs/bot") / 1024 / 1024)) MiB"
}

formatted() {
  local found
  found=$(git ls-files -z --cached --others --exclude-standard '*.go' | xargs -0 gofmt -l)
  echo "$found"
  [[ -z $found ]]
}

# security runs gosec. A false positive is answered on its line: `// #nosec G304 -- the user names the file`.
security() {
  go run "$gosec" -quiet -fmt golint -nosec-require-rules -nosec-require-justification ./... || {
    echo 'FAILED: gosec; fix each line above, or answer it there: // #nosec RULE -- why'
    return 1
  }
  echo "note: $(git grep -hoE '#nosec G[0-9]+' -- '*.go' | wc -l) answered"
}

# workflow_files lists the workflows of the repository and of its examples.
workflow_files() {
  git ls-files --cached --others --exclude-standard '.github/workflows/*.yml' '.ci/*.yml' 'examples/*.yml' |
    grep -v -e 'openclaw-litellm.yml$' -e 'compose.yml$'
}

workflows() {
  local files=()
  mapfile -t files < <(workflow_files)
  printf '%s\n' "${files[@]}"
  go run "$actionlint" -shellcheck= -pyflakes= "${files[@]}"
  echo "note: ${#files[@]} workflows"
}

# trust runs zizmor on the workflows of the repository, the examples, the documents' snippets and the Action itself.
# Exceptions and their reasons are in .github/zizmor.yml.
trust() {
  local files=()
  mapfile -t files < <(workflow_files)
  mkdir "$logs/snippets"
  go test ./internal/repo -count=1 -run TestSnippets -snippets "$logs/snippets"
  python3 -c 'import ensurepip' || packages python3-venv python3-venv
  python3 -m venv "$logs/zizmor"
  "$logs/zizmor/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r .ci/zizmor.txt
  files+=(action.yml .github/dependabot.yml "$logs"/snippets/*.yml)
  "$logs/zizmor/bin/zizmor" --offline --no-progress --strict-collection --pedantic --config .github/zizmor.yml "${files[@]}"
  echo "note: ${#files[@]} files"
}

# vulnerabilities checks modules and Go release against the Go vulnerability database. It fails if vulnerable code is called.
vulnerabilities() {
  go run "$govulncheck" -db "$vulnerability_database" ./...
  echo "note: $(go env GOVERSION)"
}

# vulnerabilities_if_possible does so where the database can be reached. On GitHub, a job of its own requires it.
vulnerabilities_if_possible() {
  if curl -fsS -m 20 -o /dev/null "$vulnerability_database/index/db.json" 2>"$logs/database"; then
    step 'govulncheck' vulnerabilities
  else
    skip 'govulncheck' "$vulnerability_database does not answer here ($(tail -n 1 "$logs/database")); CI on GitHub runs it"
  fi
}

scripts() {
  local script
  for script in .ci/*; do
    case $script in *.yml | *.txt) continue ;; esac
    bash -n "$script"
  done
}

# named sees that what runs below is what the README tells a newcomer to run.
named() {
  grep -n '^go run ./cmd/bot run --sandbox' README.md || { echo 'README.md has no line "go run ./cmd/bot run --sandbox"'; return 1; }
  grep -n '^go test ./\.\.\.' README.md || { echo 'README.md has no line "go test ./..."'; return 1; }
}

# first_command sees that the sandbox leaves nothing behind.
first_command() {
  local before
  before=$(git status --porcelain)
  mkdir "$logs/sandbox"
  TMPDIR=$logs/sandbox timeout 120 go run ./cmd/bot run --sandbox
  rmdir "$logs/sandbox"   # fails if something is left in it
  [[ $(git status --porcelain) = "$before" ]] || { git status --short; echo 'it leaves files behind' >&2; return 1; }
}

all_tests() {
  go test -count=1 ./... | tee "$logs/tests"
  echo "note: $(grep -c '^ok' "$logs/tests") packages"
}

# race leaves out the two longest tests, which are one scenario many times over and take six minutes more under the
# detector, and the tests that read the repository.
race() {
  local repeated='^Test(Week|NothingSecretComesOut)$'
  go list ./... | grep -v /internal/repo$ | CGO_ENABLED=1 xargs go test -race -count=1 -timeout 20m -skip "$repeated"
  echo "note: without internal/repo and $repeated"
}

# fuzzing runs every fuzz test of the repository for a fixed, short time, whatever the ones before it found. The corpora
# are in testdata/fuzz.
fuzzing() {
  local dir name found=0 bad=()
  while IFS=: read -r dir name; do
    fuzz "$dir" "$name" || bad+=("$dir $name")
    found=$((found + 1))
  done < <(git grep --untracked -o '^func Fuzz[A-Za-z0-9_]*' -- '*_test.go' |
    sed -E 's|^(.*)/[^/]*:func (.*)$|./\1:\2|')
  echo "note: $found fuzz tests"
  if ((${#bad[@]})); then printf 'FAILED: %s\n' "${bad[@]}"; return 1; fi
  ((found > 0))
}

# fuzz DIR NAME: one fuzz test. When the time is over while a worker is slow to answer, go's coordinator can mistake its own
# deadline for a failure (golang/go#75804): it then says "context deadline exceeded" and nothing else. Only that is tried
# again, once; whatever a fuzz test itself finds names the input or says what failed, and fails at once.
fuzz() {
  local log=$logs/fuzz
  echo "$1 $2"
  for _ in 1 2; do
    if go test "$1" -run '^$' -fuzz "^$2\$" -fuzztime 5s -fuzzminimizetime 10x >"$log" 2>&1; then
      cat "$log"
      return 0
    fi
    cat "$log"
    if grep -v -E '^(fuzz: (elapsed|gathering|minimizing)|--- FAIL: Fuzz|    context deadline exceeded$|FAIL|exit status 1$)' "$log" |
      grep -q .; then return 1; fi
    echo "note: $2 ended at go's own deadline and was run again"
  done
  return 1
}
