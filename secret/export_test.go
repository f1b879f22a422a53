package secret

// Known returns how many secrets are known now.
func (s *Set) Known() int {
	s.forgetInTime()
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.known)
}
