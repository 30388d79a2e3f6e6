package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"mooring.dev/mooring/internal/shim/gateway/body"
	"mooring.dev/mooring/internal/shim/gateway/schema"
	"mooring.dev/mooring/internal/shim/gateway/sink"
)

// fault is why a request, or one record of it, was not done. Each dialect has its own way to say it.
type fault struct {
	status int
	// code is Confluent's error_code, which begins with the status and says more; 0 is the status.
	code    int
	message string
	// retryAfter, if it is not zero.
	retryAfter time.Duration
}

func (f *fault) errorCode() int {
	if f.code != 0 {
		return f.code
	}
	return f.status
}

// in a record of a request that is taken as a whole.
func (f *fault) in(record int) *fault {
	f.message = fmt.Sprintf("record %d: %s; nothing of the request was written", record, f.message)
	return f
}

func faultf(status int, format string, args ...any) *fault {
	return &fault{status: status, message: fmt.Sprintf(format, args...)}
}

// Confluent REST's error codes, of those that say more than the status.
const (
	codeForbidden   = 40301
	codeNoTopic     = 40401
	codeNoPartition = 40402
	codeRegistry    = 40801
	codeBadPayload  = 42206
	codeKafka       = 50002
	codeRetriable   = 50003
)

// statusOf an outcome, and Confluent's code for it.
func statusOf(class sink.Class) (status, code int) {
	switch class {
	case sink.Written:
		return http.StatusOK, 0
	case sink.Unknown, sink.TimedOut:
		return http.StatusGatewayTimeout, 0
	case sink.NoTopic:
		return http.StatusNotFound, codeNoTopic
	case sink.NoPartition:
		return http.StatusNotFound, codeNoPartition
	case sink.Forbidden:
		return http.StatusForbidden, codeForbidden
	case sink.TooLarge:
		return http.StatusRequestEntityTooLarge, 0
	case sink.Refused:
		return http.StatusUnprocessableEntity, 0
	case sink.Full:
		return http.StatusTooManyRequests, 0
	case sink.Away, sink.Draining, sink.Aborted:
		return http.StatusServiceUnavailable, 0
	case sink.Failed:
	}
	return http.StatusInternalServerError, codeKafka
}

func faultOfOutcome(o sink.Outcome) *fault {
	status, code := statusOf(o.Class)
	f := &fault{status: status, code: code, message: o.Reason}
	if o.Class == sink.Full || o.Class == sink.Away {
		f.retryAfter = time.Second
	}
	return f
}

func faultOfRefusal(r *sink.Refusal) *fault {
	status, code := statusOf(r.Class)
	return &fault{status: status, code: code, message: r.Reason, retryAfter: r.RetryAfter}
}

func faultOfBody(err error) *fault {
	var e *body.Error
	if !errors.As(err, &e) {
		return faultf(http.StatusBadRequest, "%v", err)
	}
	message := e.Error() + "; nothing of the request was written"
	switch e.Kind {
	case body.Invalid:
		return &fault{status: http.StatusUnprocessableEntity, code: codeBadPayload, message: message}
	case body.TooMany:
		return faultf(http.StatusRequestEntityTooLarge, "%s", message)
	case body.NeedsSchema:
		return &fault{status: http.StatusUnprocessableEntity, code: schema.CodeInvalidSchema, message: message}
	case body.Malformed:
	}
	return faultf(http.StatusBadRequest, "%s", message)
}

// faultOfLook is of a request that only looks at the cluster.
func faultOfLook(err error, topic string) *fault {
	class := sink.Classify(err)
	if class == sink.NoTopic {
		return &fault{status: http.StatusNotFound, code: codeNoTopic, message: fmt.Sprintf("the topic %q does not exist", topic)}
	}
	if class == sink.Failed || class == sink.TimedOut {
		return &fault{status: http.StatusServiceUnavailable, message: "the cluster does not answer: " + err.Error(), retryAfter: time.Second}
	}
	status, code := statusOf(class)
	return &fault{status: status, code: code, message: err.Error()}
}
