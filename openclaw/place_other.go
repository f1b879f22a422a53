//go:build !unix || aix || solaris

package openclaw

import "io/fs"

func (k *KeyFile) checkReader(_, _ fs.FileInfo) error { return nil } // files have no owners that could be told apart

// Exposed says who else can replace the file; here that is not known.
func (k *KeyFile) Exposed() []Exposure { return nil }
