package spendlog

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// BenchmarkRead reads rows like those of bench/spendlogs.py, for profiles: go test -bench Read -cpuprofile cpu.out ./spendlog
func BenchmarkRead(b *testing.B) {
	var data bytes.Buffer
	for i := range 4000 {
		row := strings.ReplaceAll(good, `"a"`, fmt.Sprintf(`"chatcmpl-%d"`, i))
		row = strings.ReplaceAll(row, `"openclaw"`, `"openclaw","applied_guardrails":[],"model_map_information":{"model_map_key":"x",`+
			strings.Repeat(`"supports_vision":null,`, 20)+`"n":1}`)
		data.WriteString(strings.ReplaceAll(row, "a \\\"q", strings.Repeat("naïve words, a \\\"quote\\\"\\n and \\u00e9 more; ", 25)) + "\n")
	}
	b.SetBytes(int64(data.Len()))
	b.ReportAllocs()
	for b.Loop() {
		s, err := Read(bytes.NewReader(data.Bytes()), Options{})
		if err != nil || s.Rows != 4000 || s.Lost != 0 {
			b.Fatal(s, err)
		}
	}
}
