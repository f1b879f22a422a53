package settings

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// readable is what is wrong with plain http.
const readable = ": anyone on that network can read the credentials"

// parseAddress reads an https or http URL of a service. Credentials, queries and fragments in it are refused. http is
// allowed towards what cannot be outside, which warning then says; "" otherwise.
func parseAddress(text string) (address *url.URL, warning string, p *problem) {
	return checkAddress(text, true)
}

// parseSecretAddress does so for an address that is itself a secret, and names no part of it.
func parseSecretAddress(text string) (warning string, p *problem) {
	_, warning, p = checkAddress(text, false)
	return warning, p
}

func checkAddress(text string, named bool) (address *url.URL, warning string, p *problem) {
	const remedy = "write an address such as https://litellm.example.com"
	u, err := url.Parse(text)
	quoted, host := "", ""
	if err == nil && named {
		quoted, host = " to "+quote(u.Hostname()), " to "+u.Hostname()
	}
	switch {
	case err != nil || hasControl(text):
		return nil, "", bad(remedy, "the value is not an address")
	case u.User != nil:
		return nil, "", bad("leave them out of the address", "the address holds credentials, which end up in logs")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, "", bad(remedy, "the address starts with neither https:// nor http://")
	case u.Hostname() == "":
		return nil, "", bad(remedy, "the address has no host")
	case !validPort(u.Port()):
		return nil, "", bad(remedy, "the address has a port that is none")
	case u.Scheme == "http" && !inside(u.Hostname()):
		return nil, "", bad("use https://", "plain http%s would show credentials to the network", quoted)
	case u.Scheme == "http":
		return u, "plain http" + host + readable, nil
	}
	return u, "", nil
}

// parseBase reads the address of an API: no query, no fragment, and the result has no trailing slash.
func parseBase(text string) (base, warning string, p *problem) {
	u, warning, p := parseAddress(text)
	if p != nil {
		return "", "", p
	}
	if u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return "", "", bad("leave off everything from the first ? or #", "the address has a query or a fragment")
	}
	return strings.TrimRight(u.String(), "/"), warning, nil
}

// validPort reports whether an address can have that port; "" is that of its scheme.
func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

// inside reports whether a host is this machine or one on a private network, as far as its name tells: loopback and
// private addresses, names without a dot (container and compose names), and the suffixes kept for private use.
// Link-local addresses, where clouds keep their metadata, are not.
func inside(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback() || ip.Unmap().IsPrivate()
	}
	if !strings.Contains(host, ".") {
		return host != "" && !strings.ContainsFunc(host[:1], func(r rune) bool { return r >= '0' && r <= '9' })
	}
	for _, suffix := range []string{".localhost", ".internal", ".local", ".home.arpa", ".svc"} {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}

// parseListen takes host:port to listen on, or :port for every address.
func parseListen(text string) (string, *problem) {
	_, port, err := net.SplitHostPort(text)
	if _, notNumber := strconv.ParseUint(port, 10, 16); err != nil || notNumber != nil {
		return "", bad("write host:port, such as 127.0.0.1:8080", "%s is not an address to listen on", quote(text))
	}
	return text, nil
}
