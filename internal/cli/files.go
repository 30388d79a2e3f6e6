package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxManifest bounds a file. A manifest is some kilobytes; what is larger is most likely named by mistake.
const maxManifest = 64 << 20

// input is a file that was read.
type input struct {
	name string
	data []byte
}

// readInputs reads what -f of a command names, in the order given, and the files of a folder by name.
func (a App) readInputs(command string, names []string, recursive bool) ([]input, error) {
	var inputs []input
	seen := make(map[string]bool)
	for _, name := range names {
		paths, err := expand(name, recursive)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			if seen[filepath.Clean(path)] {
				continue // named twice, as a file and by its folder
			}
			seen[filepath.Clean(path)] = true
			if base := filepath.Base(path); path != name && strings.TrimSuffix(base, filepath.Ext(base)) == "kustomization" {
				dir := filepath.Dir(path)
				a.note("%s: left aside; to read what kustomize makes of the folder: kubectl kustomize %s | kubectl mooring %s -f -", path, dir, command)
				continue
			}
			data, err := a.read(path)
			if err != nil {
				return nil, err
			}
			inputs = append(inputs, input{path, data})
		}
	}
	return inputs, nil
}

func (a App) read(path string) ([]byte, error) {
	from := a.In
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, plainPathError(err)
		}
		defer file.Close()
		from = file
	}
	data, err := io.ReadAll(io.LimitReader(from, maxManifest+1))
	if err != nil {
		return nil, plainPathError(err)
	}
	if len(data) > maxManifest {
		return nil, fmt.Errorf("%s is larger than %d MiB, and no manifest is", path, maxManifest>>20)
	}
	return data, nil
}

// expand is the files of a folder, or the file.
func expand(name string, recursive bool) ([]string, error) {
	if name == "-" {
		return []string{name}, nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, plainPathError(err)
	}
	if !info.IsDir() {
		return []string{name}, nil
	}
	var paths []string
	err = filepath.WalkDir(name, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return plainPathError(err)
		case entry.IsDir() && path != name && !recursive:
			return filepath.SkipDir
		case !entry.IsDir() && slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path)):
			paths = append(paths, path)
		}
		return nil
	})
	if err == nil && len(paths) == 0 {
		hint := ""
		if !recursive {
			hint = "; --recursive looks in the folders below it too"
		}
		err = fmt.Errorf("%s: no file there ends in .yaml, .yml or .json%s", name, hint)
	}
	return paths, err
}

// plainPathError says which file and what is wrong with it, without the name of the system call. Nil stays nil.
func plainPathError(err error) error {
	var e *fs.PathError
	if !errors.As(err, &e) {
		return err
	}
	return fmt.Errorf("%s: %w", e.Path, e.Err)
}

// readFile is connect.ReadFile on the file system.
func readFile(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	return data, plainPathError(err)
}

// writeNew writes a file whole or not at all. It leaves a file that says something else alone, unless it may replace it.
func writeNew(path, text string, replace bool) error {
	before, err := os.ReadFile(path)
	switch {
	case err == nil && string(before) == text:
		return nil
	case err == nil && !replace:
		return fmt.Errorf("%s exists and says something else; --overwrite replaces it", path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return plainPathError(err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".mooring-*")
	if err != nil {
		return plainPathError(err)
	}
	_, err = file.WriteString(text)
	if errClose := file.Close(); err == nil {
		err = errClose
	}
	if err == nil {
		err = os.Chmod(file.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		os.Remove(file.Name())
		return plainPathError(err)
	}
	return nil
}
