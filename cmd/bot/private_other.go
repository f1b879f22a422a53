//go:build !linux

package main

// keepPrivate does nothing: the system has no such switch.
func keepPrivate() {}
