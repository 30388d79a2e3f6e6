package node

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// unmountBelow unmounts everything in the folders, the last mounted first.
func unmountBelow(dirs ...string) error {
	content, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("cannot tell what is mounted: %w", err)
	}
	for _, point := range slices.Backward(mountPoints(string(content))) {
		below := slices.ContainsFunc(dirs, func(dir string) bool { return strings.HasPrefix(point, dir+"/") })
		if !below {
			continue
		}
		// Detached, because whatever still holds it was killed and is about to end.
		if err := unix.Unmount(point, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
			return fmt.Errorf("cannot unmount %s: %w", point, err)
		}
	}
	return nil
}

// mountPoints are the fifth fields of /proc/self/mountinfo, where the kernel
// writes a space, a tab, a line break and a backslash in octal.
func mountPoints(mountinfo string) []string {
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	var points []string
	for line := range strings.Lines(mountinfo) {
		if fields := strings.Fields(line); len(fields) > 4 {
			points = append(points, unescape.Replace(fields[4]))
		}
	}
	return points
}
