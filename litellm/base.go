package litellm

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// ParseBaseURL validates a proxy's address as people write it, with or without a final "/v1", and returns the origin
// (with the path of a proxy that is served under one). plain reports unencrypted http, which is allowed only to hosts
// that are not public: callers warn of it. Errors never hold the address's credentials.
func ParseBaseURL(text string) (base string, plain bool, err error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil {
		return "", false, errors.New("reading the proxy's address: it is no URL (want https://litellm.example.com)")
	}
	switch {
	case u.User != nil:
		return "", false, errors.New("reading the proxy's address: it holds credentials; give the key separately")
	case u.Scheme != "https" && u.Scheme != "http":
		return "", false, errors.New("reading the proxy's address: it needs a scheme and a host (want https://litellm.example.com)")
	case u.Hostname() == "":
		return "", false, errors.New("reading the proxy's address: it has no host (want https://litellm.example.com)")
	case u.RawQuery != "" || u.Fragment != "":
		return "", false, errors.New("reading the proxy's address: it must have no query and no fragment")
	case u.Scheme == "http" && !notPublic(u.Hostname()):
		return "", true, fmt.Errorf("reading the proxy's address: plain http to %s would send keys readably; use https", u.Hostname())
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	path = strings.TrimRight(strings.TrimSuffix(path, "/v1"), "/")
	return u.Scheme + "://" + u.Host + path, u.Scheme == "http", nil
}

// notPublic reports whether host is a loopback or private address, or a name that no public DNS answers for: localhost,
// a single label (a container's or service's name), or one under a suffix kept for private use.
func notPublic(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap()
		return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if !strings.Contains(host, ".") {
		return true
	}
	for _, suffix := range []string{".localhost", ".local", ".internal", ".home.arpa"} {
		if strings.HasSuffix(host, suffix) { // ".local" includes Kubernetes' svc.cluster.local
			return true
		}
	}
	return false
}
