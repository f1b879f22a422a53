package slack

import "strings"

// ellipsis ends a text that was cut.
const ellipsis = "… (cut)"

// cutTo shortens text to at most limit units, ending it with ellipsis, and reports whether it did. In mrkdwn it breaks
// no link, no escaped character and no code fence.
func (*fitter) cutTo(text *string, limit int, mrkdwn bool) bool {
	if units(*text) <= limit {
		return false
	}
	room := limit - units(ellipsis) - 1
	if mrkdwn {
		room -= len("\n```")
	}
	kept := prefix(*text, room)
	if mrkdwn {
		kept = wholeTokens(kept)
	}
	end := ellipsis
	if i := strings.LastIndexByte(kept, '\n'); i > len(kept)*3/4 {
		kept, end = kept[:i], "\n"+ellipsis
	}
	if mrkdwn && strings.Count(kept, "```")%2 == 1 {
		end = "\n```" + strings.TrimPrefix(end, "\n")
	}
	*text = kept + end
	return true
}

// units is the length of s in UTF-16 units.
func units(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// prefix returns the longest start of s of at most n units that ends between two runes.
func prefix(s string, n int) string {
	for i, r := range s {
		n--
		if r > 0xFFFF {
			n--
		}
		if n < 0 {
			return s[:i]
		}
	}
	return s
}

// wholeTokens takes a half <link|label> or half &entity; off the end of s.
func wholeTokens(s string) string {
	if i := strings.LastIndexByte(s, '<'); i > strings.LastIndexByte(s, '>') {
		s = s[:i]
	}
	if i := strings.LastIndexByte(s, '&'); i >= 0 && len(s)-i < len("&amp;") && !strings.Contains(s[i:], ";") {
		s = s[:i]
	}
	if !strings.HasSuffix(s, "```") {
		s = strings.TrimRight(s, "`")
	}
	return s
}
