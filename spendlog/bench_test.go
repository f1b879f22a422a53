package spendlog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// many is 4,000 rows like those of bench/spendlogs.py.
func many() []byte {
	var data bytes.Buffer
	supports := ""
	for i := range 20 {
		supports += fmt.Sprintf(`"supports_%d":null,`, i)
	}
	for i := range 4000 {
		row := strings.ReplaceAll(good, `"a"`, fmt.Sprintf(`"chatcmpl-%d"`, i))
		row = strings.ReplaceAll(row, `"openclaw"`, `"openclaw","applied_guardrails":[],"model_map_information":{"model_map_key":"x",`+
			supports+`"n":1}`)
		data.WriteString(strings.ReplaceAll(row, `a \"q`, strings.Repeat(`naïve words, a \"quote\"\n and \u00e9 more; `, 25)) + "\n")
	}
	return data.Bytes()
}

// BenchmarkRead is for profiles: go test ./spendlog -run '^$' -bench Read -cpuprofile cpu.out
func BenchmarkRead(b *testing.B) {
	data := many()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		s, err := Read(bytes.NewReader(data), Options{})
		if err != nil || s.Rows != 4000 || s.Lost != 0 {
			b.Fatal(s, err)
		}
	}
}

// BenchmarkEncodingJSON decodes the fields that count, and sums up nothing.
func BenchmarkEncodingJSON(b *testing.B) {
	data := many()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		dec := json.NewDecoder(bytes.NewReader(data))
		for {
			var row struct {
				ID    string      `json:"request_id"`
				Key   string      `json:"api_key"`
				Model string      `json:"model_group"`
				Start string      `json:"startTime"`
				Spend json.Number `json:"spend"`
				Meta  struct {
					Alias     string `json:"user_api_key_alias"`
					Fallbacks int    `json:"attempted_fallbacks"`
				} `json:"metadata"`
			}
			if err := dec.Decode(&row); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkJSONText only skips every row, which is the least that a reading with jsontext takes.
func BenchmarkJSONText(b *testing.B) {
	data := many()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		dec := jsontext.NewDecoder(bytes.NewReader(data))
		for {
			if err := dec.SkipValue(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}
