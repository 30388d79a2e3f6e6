package wire

import "github.com/twmb/franz-go/pkg/kmsg"

// never is the first flexible version of an API that has none.
const never = 1<<15 - 1

// apis are the newest version of every API that kmsg knows, and the first flexible one. They are kmsg's own figures, written
// down: asking it at every start would touch the code of all of its messages, which are megabytes. A test compares.
var apis = [kmsg.MaxKey + 1]struct{ newest, flexible int16 }{
	0: {13, 9}, 1: {18, 12}, 2: {11, 6}, 3: {13, 9}, 4: {7, 4}, 5: {4, 2}, 6: {8, 6}, 7: {3, 3}, 8: {10, 8}, 9: {10, 6},
	10: {6, 3}, 11: {9, 6}, 12: {4, 4}, 13: {5, 4}, 14: {5, 4}, 15: {6, 5}, 16: {5, 3}, 17: {1, never}, 18: {5, 3}, 19: {7, 5},
	20: {6, 4}, 21: {2, 2}, 22: {5, 2}, 23: {4, 4}, 24: {5, 3}, 25: {4, 3}, 26: {5, 3}, 27: {2, 1}, 28: {6, 3}, 29: {3, 2},
	30: {3, 2}, 31: {3, 2}, 32: {4, 4}, 33: {2, 2}, 34: {2, 2}, 35: {5, 2}, 36: {2, 2}, 37: {3, 2}, 38: {3, 2}, 39: {2, 2},
	40: {2, 2}, 41: {3, 2}, 42: {3, 2}, 43: {2, 2}, 44: {1, 1}, 45: {1, 0}, 46: {0, 0}, 47: {0, never}, 48: {1, 1}, 49: {1, 1},
	50: {0, 0}, 51: {0, 0}, 52: {2, 0}, 53: {1, 1}, 54: {1, 1}, 55: {2, 0}, 56: {3, 0}, 57: {2, 0}, 58: {0, 0}, 59: {1, 0},
	60: {2, 0}, 61: {0, 0}, 62: {4, 0}, 63: {2, 0}, 64: {0, 0}, 65: {0, 0}, 66: {2, 0}, 67: {0, 0}, 68: {1, 0}, 69: {1, 0},
	70: {0, 0}, 71: {0, 0}, 72: {0, 0}, 73: {0, 0}, 74: {1, 0}, 75: {0, 0}, 76: {1, 0}, 77: {1, 0}, 78: {2, 0}, 79: {2, 0},
	80: {1, 0}, 81: {0, 0}, 82: {0, 0}, 83: {0, 0}, 84: {0, 0}, 85: {1, 0}, 86: {0, 0}, 87: {1, 0}, 88: {1, 0}, 89: {1, 0},
	90: {1, 0}, 91: {0, 0}, 92: {0, 0}, 93: {0, 0}, 94: {0, 0},
}

// Newest is the newest version of an API that this program can read, -1 when it does not know the API.
func Newest(key int16) int16 {
	if key < 0 || int(key) >= len(apis) {
		return -1
	}
	return apis[key].newest
}

// FlexibleRequest says whether a request has the header v2.
func FlexibleRequest(key, version int16) bool {
	return key >= 0 && int(key) < len(apis) && version >= apis[key].flexible
}

// FlexibleResponse says whether a response has the header v1. The answer to ApiVersions never has (KIP-511): the client
// does not know yet what the broker speaks.
func FlexibleResponse(key, version int16) bool {
	return key != int16(kmsg.ApiVersions) && FlexibleRequest(key, version)
}
