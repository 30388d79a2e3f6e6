package producer

import (
	"iter"
	"maps"
	"strings"
)

func keysOf[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }

// nearest is the known name that is most like a name, or "" when none is. Case, and whether words are parted by dots,
// dashes or underscores, count for nothing: batchSize and BATCH_SIZE are batch.size. Of equally near names the first wins.
func nearest(name string, known []string) string {
	const longest = 128 // no property is longer than half of it, and the distance costs length times length
	if len(name) == 0 || len(name) > longest {
		return ""
	}
	plain := plainName(name)
	best, bestDistance := "", len(plain)/3+1
	for _, k := range known {
		if d := distance(plain, plainName(k), bestDistance); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

func plainName(s string) string {
	return strings.NewReplacer(".", "", "-", "", "_", "").Replace(strings.ToLower(s))
}

// distance is the number of letters to insert, delete, replace or swap with their neighbour, cut off at limit.
func distance(a, b string, limit int) int {
	if abs(len(a)-len(b)) >= limit {
		return limit
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

func abs(n int) int { return max(n, -n) }

// Nearest is the known name that is most like a name, or "" when none is: for "did you mean".
func Nearest(name string, known []string) string { return nearest(name, known) }
