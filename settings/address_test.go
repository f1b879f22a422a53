package settings

import "testing"

func TestParseBase(t *testing.T) {
	const remedy = "; write an address such as https://litellm.example.com"
	warn := func(host string) string {
		return "plain http to " + host + ": anyone on that network can read the credentials"
	}
	plain := func(host string) string {
		return "plain http to \"" + host + "\" would show credentials to the network; use https://"
	}
	for _, tt := range []struct{ text, want, warning, told string }{
		{"https://litellm.example.com", "https://litellm.example.com", "", ""},
		{"https://litellm.example.com/proxy//", "https://litellm.example.com/proxy", "", ""},
		{"http://127.0.0.1:4000", "http://127.0.0.1:4000", warn("127.0.0.1"), ""},
		{"http://[::1]:4000", "http://[::1]:4000", warn("::1"), ""},
		{"http://10.1.2.3", "http://10.1.2.3", warn("10.1.2.3"), ""},
		{"http://[fd00::1]", "http://[fd00::1]", warn("fd00::1"), ""},
		{"http://localhost:4000/", "http://localhost:4000", warn("localhost"), ""},
		{"http://litellm:4000", "http://litellm:4000", warn("litellm"), ""},
		{"http://litellm.ai.svc", "http://litellm.ai.svc", warn("litellm.ai.svc"), ""},
		{"http://host.docker.internal", "http://host.docker.internal", warn("host.docker.internal"), ""},
		{"http://litellm.example.com", "", "", plain("litellm.example.com")},
		{"http://8.8.8.8", "", "", plain("8.8.8.8")},
		{"http://169.254.169.254", "", "", plain("169.254.169.254")},
		{"http://2130706433", "", "", plain("2130706433")},
		{"http://0x7f000001", "", "", plain("0x7f000001")},
		{"http://[::ffff:8.8.8.8]", "", "", plain("::ffff:8.8.8.8")},
		{"https://me:pw@litellm.example.com", "", "", "the address holds credentials, which end up in logs; leave them out of the address"},
		{"https://token@litellm.example.com", "", "", "the address holds credentials, which end up in logs; leave them out of the address"},
		{"litellm.example.com", "", "", "the address starts with neither https:// nor http://" + remedy},
		{"ftp://litellm.example.com", "", "", "the address starts with neither https:// nor http://" + remedy},
		{"https://", "", "", "the address has no host" + remedy},
		{"https://litellm.example.com:99999", "", "", "the address has a port that is none" + remedy},
		{"https://%zz", "", "", "the value is not an address" + remedy},
		{"https://litellm.example.com?key=1", "", "", "the address has a query or a fragment; leave off everything from the first ? or #"},
		{"https://litellm.example.com/#x", "", "", "the address has a query or a fragment; leave off everything from the first ? or #"},
	} {
		got, warning, p := parseBase(tt.text)
		if got != tt.want || warning != tt.warning || told(p) != tt.told {
			t.Errorf("parseBase(%q) = %q, %q, %q; want %q, %q, %q", tt.text, got, warning, told(p), tt.want, tt.warning, tt.told)
		}
	}
}

func TestParseListen(t *testing.T) {
	const remedy = " is not an address to listen on; write host:port, such as 127.0.0.1:8080"
	for _, tt := range []struct{ text, told string }{
		{"127.0.0.1:8080", ""},
		{"[::1]:8080", ""},
		{"localhost:0", ""},
		{":8080", ""},
		{"0.0.0.0:8080", ""},
		{"8080", `"8080"` + remedy},
		{"127.0.0.1:http", `"127.0.0.1:http"` + remedy},
		{"127.0.0.1:70000", `"127.0.0.1:70000"` + remedy},
	} {
		if _, p := parseListen(tt.text); told(p) != tt.told {
			t.Errorf("parseListen(%q): %q, want %q", tt.text, told(p), tt.told)
		}
	}
}

func TestParseCron(t *testing.T) {
	const remedy = ` is not a schedule; write five fields such as "*/15 * * * *" (minute, hour, day, month, weekday 0-6), or @daily`
	for text, want := range map[string]string{
		"*/15 * * * *": "", "0 9 * * 1-5": "", "@daily": "", "@every 15m": "",
		"* * * *": `"* * * *"` + remedy, "0 0 * * 7": `"0 0 * * 7"` + remedy, "daily": `"daily"` + remedy,
		"TZ=UTC":                    `"TZ=UTC" names a time zone; give the time zone in timezone`,
		"CRON_TZ=":                  `"CRON_TZ=" names a time zone; give the time zone in timezone`,
		"CRON_TZ=Asia/Tokyo @daily": `"CRON_TZ=Asia/Tokyo @daily" names a time zone; give the time zone in timezone`,
		"@every 0s":                 `"@every 0s" leaves no pause; write @every 1m0s or longer`,
		"@every 59s":                `"@every 59s" leaves no pause; write @every 1m0s or longer`,
	} {
		if _, p := parseCron(text); told(p) != want {
			t.Errorf("parseCron(%q): %q, want %q", text, told(p), want)
		}
	}
}

func TestParseTimezone(t *testing.T) {
	if zone, p := parseTimezone("UTC"); p != nil || zone.String() != "UTC" {
		t.Error(zone, told(p))
	}
	for _, text := range []string{"Local", "Mars/Base", "../etc/passwd"} {
		if _, p := parseTimezone(text); told(p) != quote(text)+" is not a time zone; write a name such as UTC or Europe/Paris" {
			t.Errorf("parseTimezone(%q): %q", text, told(p))
		}
	}
}
