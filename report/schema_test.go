package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/report"
)

// schema is the part of JSON Schema that docs/report.schema.json uses. Other words in it are an error.
type schema struct {
	Schema      string             `json:"$schema"`
	ID          string             `json:"$id"`
	Title       string             `json:"title"`
	Description string             `json:"description"`
	Defs        map[string]*schema `json:"$defs"`
	Ref         string             `json:"$ref"`
	Type        any                `json:"type"`
	Format      string             `json:"format"`
	Pattern     string             `json:"pattern"`
	Enum        []string           `json:"enum"`
	Const       any                `json:"const"`
	Properties  map[string]*schema `json:"properties"`
	Required    []string           `json:"required"`
	Additional  json.RawMessage    `json:"additionalProperties"`
	Items       *schema            `json:"items"`
}

func readSchema(t *testing.T) *schema {
	t.Helper()
	text, err := os.ReadFile("../docs/report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var s schema
	if err := dec.Decode(&s); err != nil {
		t.Fatal(err)
	}
	return &s
}

// check reports everything in v that the schema does not allow.
func (s *schema) check(root *schema, at string, v any) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, at+": "+fmt.Sprintf(format, args...)) }
	if s.Ref != "" {
		return root.Defs[strings.TrimPrefix(s.Ref, "#/$defs/")].check(root, at, v)
	}
	if !s.hasType(v) {
		fault("%T is not of type %v", v, s.Type)
		return faults
	}
	if s.Const != nil && !reflect.DeepEqual(s.Const, v) {
		fault("%v is not %v", v, s.Const)
	}
	switch v := v.(type) {
	case string:
		if s.Enum != nil && !slices.Contains(s.Enum, v) {
			fault("%q is none of %q", v, s.Enum)
		}
		if s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(v) {
			fault("%q is not like %s", v, s.Pattern)
		}
		if _, err := time.Parse(time.RFC3339, v); s.Format == "date-time" && err != nil {
			fault("%v", err)
		}
	case []any:
		for i, e := range v {
			faults = append(faults, s.Items.check(root, fmt.Sprintf("%s[%d]", at, i), e)...)
		}
	case map[string]any:
		faults = append(faults, s.checkObject(root, at, v)...)
	}
	return faults
}

func (s *schema) checkObject(root *schema, at string, v map[string]any) (faults []string) {
	for _, name := range s.Required {
		if _, ok := v[name]; !ok {
			faults = append(faults, at+": "+name+" is missing")
		}
	}
	for name, e := range v {
		p := s.Properties[name]
		if p == nil && string(s.Additional) == "false" {
			faults = append(faults, at+": "+name+" is not in the schema")
			continue
		}
		if p == nil {
			p = &schema{}
			if err := json.Unmarshal(s.Additional, p); err != nil {
				faults = append(faults, at+": "+err.Error())
				continue
			}
		}
		faults = append(faults, p.check(root, at+"."+name, e)...)
	}
	return faults
}

func (s *schema) hasType(v any) bool {
	var is string
	switch v := v.(type) {
	case nil:
		is = "null"
	case bool:
		is = "boolean"
	case string:
		is = "string"
	case float64:
		is = "number"
		if v == float64(int64(v)) {
			is = "integer"
		}
	case []any:
		is = "array"
	case map[string]any:
		is = "object"
	}
	switch want := s.Type.(type) {
	case nil:
		return true
	case string:
		return want == is
	case []any:
		return slices.Contains(want, any(is))
	}
	return false
}

func TestSchema(t *testing.T) {
	t.Parallel()
	root := readSchema(t)
	empty := report.New(report.Input{Now: monday})
	plan := sample()
	plan.DryRun = true
	plan.Period = &report.Period{Name: "7d", From: monday.AddDate(0, 0, -7), To: monday}
	for name, r := range map[string]report.Report{
		"sample": report.New(sample()), "empty": empty, "zero": {}, "plan": report.New(plan), "pass": pass(monday, "49", 4),
	} {
		for _, o := range []report.Options{{}, {Public: true, HideAmounts: true}} {
			var b bytes.Buffer
			if err := report.JSON(&b, r, o); err != nil {
				t.Fatal(err)
			}
			var v any
			if err := json.Unmarshal(b.Bytes(), &v); err != nil {
				t.Fatal(err)
			}
			for _, fault := range root.check(root, name, v) {
				t.Error(fault)
			}
		}
	}
}

// TestSchemaComplete: every field that a report can have is in the schema, and nothing else.
func TestSchemaComplete(t *testing.T) {
	t.Parallel()
	root := readSchema(t)
	compareFields(t, root, root, reflect.TypeFor[report.Report]())
}

func compareFields(t *testing.T, root, s *schema, typ reflect.Type) {
	t.Helper()
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if s.Ref != "" {
		s = root.Defs[strings.TrimPrefix(s.Ref, "#/$defs/")]
	}
	if s.Items != nil {
		compareFields(t, root, s.Items, typ)
		return
	}
	if typ.Kind() != reflect.Struct || s.Properties == nil {
		return
	}
	names := map[string]bool{}
	for f := range typ.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" || !f.IsExported() {
			continue
		}
		names[name] = true
		if s.Properties[name] == nil {
			t.Errorf("%s.%s is not in the schema", typ, name)
			continue
		}
		compareFields(t, root, s.Properties[name], f.Type)
	}
	for name := range s.Properties {
		if !names[name] {
			t.Errorf("%s has no %s, which is in the schema", typ, name)
		}
	}
}
