package settings

// readForLogs reads what a report on an export of spend logs needs: how each key is judged, and how the result is
// written. No credential is used and nobody is asked, so that it may run on any event, and no file is read that a
// checkout could bring along to soften the judgement.
func (l *loader) readForLogs() {
	for _, name := range []string{"config", "key-name", "sandbox"} {
		if v := l.values[name]; v.src.Layer == Flag {
			l.add(v.src, bad("leave it out", "with spend-logs every key of the export is judged, by the other settings alone"))
		}
	}
	l.readOutput()
	l.out.Failover.FallbackRate = read(l, l.values["fallback-rate"], parseRate)
	l.out.Failover.Window = read(l, l.values["failover-window"], parseDuration)
	key := l.policy(value{}, nil, func(r row) value { return l.values[r.name] })
	key.Name = l.text("key-name", parseKeyName) // the one key of the export that is known to be ours
	l.out.Keys = []Key{key}
}
