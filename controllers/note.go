package controllers

import "unicode/utf8"

// maxNote is how many bytes the API server takes as the note of an Event (events.k8s.io/v1): a longer one is refused, and
// the Event lost.
const maxNote = 1024

// Cut shortens a text to at most so many bytes, and says with three dots that it did. It never cuts a character in two.
func Cut(text string, most int) string {
	const dots = "..."
	if len(text) <= most {
		return text
	}
	end := max(0, most-len(dots))
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + dots
}

// Note is a text as an Event can hold it.
func Note(text string) string { return Cut(text, maxNote) }
