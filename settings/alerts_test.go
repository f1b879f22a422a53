package settings

import (
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

// TestAlerts: what a key says stands before defaults, and defaults before our own.
func TestAlerts(t *testing.T) {
	set := mustLoad(t, "run", shell(), map[string]string{"openclaw-litellm.yml": `
defaults:
  max_budget: 50
  alerts: {daily_spend: 5, failure_rate: 3%, burn_rate: false}
keys:
- name: plain
  targets: [{repository: acme/agents, secret: A}]
- name: own
  targets: [{repository: acme/agents, secret: B}]
  alerts: {daily_spend: 7.5, model_spend: {claude-opus-4-6: 30, "openai/a=b": 0.5}, request_cost: 1, forecast: 90%, failure_rate: off}
`})
	plain, own := set.Keys[0].Alerts, set.Keys[1].Alerts
	hundred, three := decimal.NewFromInt(100), decimal.NewFromInt(3)
	if !plain.DailySpend.Decimal.Equal(decimal.NewFromInt(5)) || !plain.FailureRate.Decimal.Equal(three) || plain.BurnRate ||
		!plain.Forecast.Decimal.Equal(hundred) || plain.RequestCost.Valid || plain.Spend.Valid || plain.ModelSpend != nil || !plain.AsksDays {
		t.Errorf("from defaults: %+v", plain)
	}
	if own.DailySpend.Decimal.String() != "7.5" || own.FailureRate.Valid || own.Forecast.Decimal.String() != "90" ||
		own.ModelSpend["claude-opus-4-6"].String() != "30" || own.ModelSpend["openai/a=b"].String() != "0.5" || own.RequestCost.Decimal.String() != "1" {
		t.Errorf("its own: %+v", own)
	}
	usual := mustLoad(t, "run", shell(), nil).Keys[0].Alerts
	if usual.AsksDays || !usual.BurnRate || !usual.Forecast.Decimal.Equal(hundred) || usual.FailureRate.Decimal.String() != "20" {
		t.Errorf("without a word: %+v", usual)
	}
}

func TestAlertFaults(t *testing.T) {
	for content, want := range map[string]string{
		"alerts: {forecast: 0%}":                     `"0%" is not a percentage from 0% to 1000%`,
		"alerts: {failure_rate: 101%}":               `"101%" is not a percentage from 0% to 100%`,
		"alerts: {daily_spend: -1}":                  `"-1" is not an amount`,
		"alerts: {daily_spend: 0}":                   `"0" is not an amount`,
		"alerts: {model_spend: {a: much}}":           `"much" is not an amount`,
		`alerts: {model_spend: "a"}`:                 `"a" is not an amount by model`,
		`alerts: {model_spend: "a=1,a=2"}`:           `model "a" is there twice`,
		"alerts: {burn_rate: quick}":                 `"quick" is neither true nor false`,
		"alerts: {hourly_spend: 1}":                  `unknown field "hourly_spend" in`,
		"alerts: {request_cost: 1e3}":                `"1e3" is not an amount`,
		"alerts: {spend: 1}\n  alerts: {spend: 2}":   `alerts`,
		"alerts: [forecast]":                         `alerts`,
		"alerts: {forecast: [80%, 100%]}":            `forecast`,
		"alerts: {model_spend: [{a: 1}]}":            `model_spend`,
		"thresholds: [50%]\n  alert: {forecast: 1%}": `unknown field "alert"`,
	} {
		for _, at := range []string{"defaults:\n  " + content + "\n", "keys:\n- name: a\n  targets: [{repository: acme/agents, secret: A}]\n  " + content + "\n"} {
			_, err := load("run", shell(), map[string]string{"openclaw-litellm.yml": at})
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "openclaw-litellm.yml:") {
				t.Errorf("%s\nerror %v, want one that says %s", at, err, want)
			}
		}
	}
}
