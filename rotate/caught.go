package rotate

// caught runs a part of the work on one key and returns the outcome so far. A panic in it is an error of this key: the
// outcome keeps what was done before. A claim that it leaves behind expires by itself.
func (r *Runner) caught(doing string, do func()) Outcome {
	if r.out.Name == "" { // nothing is known yet
		r.out.Name, r.out.Owner, r.out.CurrentNumber = r.Policy.Name, r.Policy.Owner, -1
		r.last = Plan{current: -1}
	}
	r.fail(r.Catch.Do(doing+" key "+r.Policy.Name, func() error {
		do()
		return nil
	}))
	return r.out
}
