package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"

	admissionv1 "k8s.io/api/admission/v1"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	crwebhook "sigs.k8s.io/controller-runtime/pkg/webhook"
)

// server answers a fault of ours (a panic, a cache that is not there) with an HTTP error. controller-runtime would answer
// "not allowed, code 500", which the API server takes for a refusal, whatever failurePolicy says.
type server struct {
	crwebhook.Server
}

// Register implements webhook.Server.
func (s server) Register(path string, hook http.Handler) {
	s.Server.Register(path, withFaults(path, hook))
}

func withFaults(path string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		answer := &answer{header: make(http.Header), code: http.StatusOK}
		next.ServeHTTP(answer, req)
		if message, faulty := faultOf(answer.body.Bytes()); faulty {
			// The metrics of the server count it, by path and code.
			logf.FromContext(req.Context()).WithName("webhook").Error(errors.New(message), "fault at admission; failurePolicy decides", "path", path)
			http.Error(w, "mooring failed to judge this object, and its log says why", http.StatusInternalServerError)
			return
		}
		for name, values := range answer.header {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.code)
		_, _ = w.Write(answer.body.Bytes()) // the API server hung up, and there is nobody left to tell
	})
}

// allowed is in each answer that admits an object, and in no other: a quote within a JSON string has a backslash before it.
var allowed = []byte(`"allowed":true`)

// faultOf reads an AdmissionReview: an answer of 500 and above is no verdict. An answer that admits the object, which has
// the whole patch in it, is not decoded for that.
func faultOf(body []byte) (message string, faulty bool) {
	if bytes.Contains(body, allowed) {
		return "", false
	}
	var review admissionv1.AdmissionReview
	if err := json.Unmarshal(body, &review); err != nil || review.Response == nil || review.Response.Result == nil {
		return "", false
	}
	if review.Response.Allowed || review.Response.Result.Code < http.StatusInternalServerError {
		return "", false
	}
	return review.Response.Result.Message, true
}

// answer keeps a response until it is known to be one.
type answer struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(code int) { a.code = code }

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }
