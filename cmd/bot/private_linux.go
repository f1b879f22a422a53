package main

import "golang.org/x/sys/unix"

// keepPrivate keeps the memory and the environment of this process from other processes of the same user, and from core
// dumps, for as long as it runs: both hold secrets. Programs that it starts are not affected, since they begin anew; root
// can still look, and a debugger of the same user no longer can. The call only fails for arguments that make no sense.
func keepPrivate() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
