package litellm_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/secret"
)

// slips is a transport that panics on any page but the first.
type slips struct{}

func (slips) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Query().Get("page") != "1" {
		panic("a mistake of ours")
	}
	body := `{"keys":[{"token":"a","user_id":"u"}],"total_pages":3}`
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}

// TestAPanicInAPageIsItsError: pages are read in goroutines, where a panic would end the program.
func TestAPanicInAPageIsItsError(t *testing.T) {
	c := &litellm.Client{
		BaseURL: "https://litellm.example.com", Key: secret.New("a-management-key"), HTTP: &http.Client{Transport: slips{}},
	}
	_, _, _, err := c.AllKeys(t.Context(), 10)
	if err == nil || !strings.Contains(err.Error(), "internal error: a mistake of ours") {
		t.Errorf("got %v", err)
	}
}
