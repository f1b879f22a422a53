package openclaw

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/secret"
)

const (
	lockWait = 5 * time.Second
	lockPoll = 50 * time.Millisecond
)

// Write replaces the file with one that holds value and reads it back. Readers see the old content or the new one and
// never a part; after a crash the file holds one of the two. The content is written only once the new file's mode and
// owner are right. A copy left behind by a process that died is removed by the next Write (where files can be locked).
//
// own is false if the content read back is not value: another process wrote in between.
func (k *KeyFile) Write(ctx context.Context, value secret.Value) (stamp string, own bool, err error) {
	stamp, err = k.write(ctx, value)
	if err != nil {
		return "", false, fmt.Errorf("writing %s: %w", k, err)
	}
	return stamp, stamp == value.SHA256(), nil
}

func (k *KeyFile) write(ctx context.Context, value secret.Value) (string, error) {
	if !isKey(value.Reveal()) {
		return "", errors.New("the value is not one line with a key of LiteLLM")
	}
	dir, name, err := k.open()
	if err != nil {
		return "", err
	}
	defer dir.Close()
	handle, err := dir.Open(".")
	if err != nil {
		return "", err
	}
	defer handle.Close() // and with it the lock
	locked, err := lock(ctx, handle)
	if err != nil {
		return "", err
	}
	if locked {
		sweep(dir, handle, name)
	}
	if _, err := stamp(dir, name); err != nil {
		return "", err
	}
	if err := k.replace(ctx, dir, name, value); err != nil {
		return "", err
	}
	if err := syncDir(handle); err != nil {
		return "", fmt.Errorf("syncing its directory: %w", err)
	}
	return stamp(dir, name)
}

// replace makes the new file beside the old one and renames it.
func (k *KeyFile) replace(ctx context.Context, dir *os.Root, name string, value secret.Value) error {
	present, err := inspect(dir, name)
	if err != nil {
		return err
	}
	temp := tempPrefix(name) + rand.Text() + tempSuffix
	if err := k.fill(dir, temp, present, value); err != nil {
		return errors.Join(err, remove(dir, temp))
	}
	if ctx.Err() != nil {
		return errors.Join(ctx.Err(), remove(dir, temp))
	}
	if err := dir.Rename(temp, name); err != nil {
		if mounted(err) {
			err = fmt.Errorf("it is a mount of its own; mount its directory instead: %w", err)
		}
		return errors.Join(err, remove(dir, temp))
	}
	return nil
}

// fill creates temp with the right owner and mode and then, and only then, writes value into it.
func (k *KeyFile) fill(dir *os.Root, temp string, present fs.FileInfo, value secret.Value) (err error) {
	mode, err := k.mode(present)
	if err != nil {
		return err
	}
	f, err := dir.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	uid, gid, err := k.owner(dir, present)
	if err != nil {
		return err
	}
	if err := own(f, uid, gid); err != nil {
		return fmt.Errorf("giving it the owner %d:%d: %w", uid, gid, err)
	}
	if present == nil && uid < 0 && gid < 0 {
		handOver(dir, f)
	}
	if err := setMode(f, mode); err != nil {
		return fmt.Errorf("giving it the mode %#o: %w", uint32(mode), err)
	}
	if _, err := f.WriteString(value.Reveal()); err != nil {
		return err
	}
	return f.Sync()
}

const tempSuffix = ".tmp"

func tempPrefix(name string) string { return "." + name + ".openclaw-litellm-" }

// sweep removes what writers of this file that died have left. The lock says that none is at work.
func sweep(dir *os.Root, handle *os.File, name string) {
	names, err := handle.Readdirnames(-1)
	if err != nil {
		return
	}
	for _, n := range names {
		if strings.HasPrefix(n, tempPrefix(name)) && strings.HasSuffix(n, tempSuffix) {
			_ = dir.Remove(n)
		}
	}
}

func remove(dir *os.Root, name string) error {
	if err := dir.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// lock waits for the other processes that are writing to the directory. It reports false where the file system has
// no locks, and where somebody holds one for longer than a write takes, which everybody can who may read the directory;
// then writers may race, which a reader does not notice.
func lock(ctx context.Context, dir *os.File) (bool, error) {
	for waited := time.Duration(0); ; waited += lockPoll {
		switch got, err := tryLock(dir); {
		case err != nil:
			return false, nil
		case got:
			return true, nil
		case waited >= lockWait:
			return false, nil
		}
		t := time.NewTimer(lockPoll)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return false, ctx.Err()
		}
	}
}
