package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/pool"
	"mooring.dev/mooring/internal/operator"
	"mooring.dev/mooring/test/bench/stage"
)

// alone calls the handler of the pods' webhook in this process, from the bytes of a request to the bytes of an answer, on a
// cache of the same API server.
func (b *bench) alone(ctx context.Context) error {
	stage.Say("the handler alone, in one process with its load")
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	mgr, err := operator.NewManager(ctx, b.Config, operator.Options{
		Namespace: stage.OperatorNamespace, MetricsAddress: "0", ProbeAddress: "0", TopicWorkers: 1, OutageGrace: time.Minute, ShimImage: "mooring:bench",
		WebhookAddress: b.WebhookAddress(), WebhookCertDir: b.Hooks.LocalServingCertDir,
	}, func(kafka.Settings) (pool.Conn, error) { return nil, errors.New("nobody is dialled here") })
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	handler := mgr.GetWebhookServer().WebhookMux()
	asks, err := b.requests(true)
	if err != nil {
		return err
	}
	err = stage.Until(ctx, "the cache", func() (bool, error) { return call(handler, asks[len(asks)-1], true) == nil, nil })
	if err != nil {
		return err
	}
	plain, err := b.requests(false)
	if err != nil {
		return err
	}
	if _, err = stage.Run(1000, 2, func(i int) error { return call(handler, asks[i%len(asks)], true) }); err != nil { // warm
		return err
	}
	if b.handler, err = stage.Run(4*b.pods, 2, func(i int) error { return call(handler, asks[i%len(asks)], true) }); err != nil {
		return err
	}
	if b.handlerPlain, err = stage.Run(4*b.pods, 2, func(i int) error { return call(handler, plain[i%len(plain)], false) }); err != nil {
		return err
	}
	stop()
	return <-ended
}

// requests are what the API server sends, one for each profile.
func (b *bench) requests(asks bool) ([][]byte, error) {
	all := make([][]byte, b.profiles)
	for i := range all {
		pod := b.pod(i, asks)
		pod.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}
		raw, err := json.Marshal(pod)
		if err != nil {
			return nil, err
		}
		all[i], err = json.Marshal(admissionv1.AdmissionReview{
			TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"},
			Request: &admissionv1.AdmissionRequest{
				UID: types.UID(fmt.Sprintf("request-%d", i)), Kind: metav1.GroupVersionKind{Version: "v1", Kind: "Pod"}, Resource: metav1.GroupVersionResource{Version: "v1", Resource: "pods"},
				Namespace: stage.Namespace, Name: pod.Name, Operation: admissionv1.Create, DryRun: new(true), Object: runtime.RawExtension{Raw: raw},
			},
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

var marker = []byte(`"patchType"`)

func call(handler http.Handler, body []byte, patched bool) error {
	req := httptest.NewRequest(http.MethodPost, "/mutate-v1-pod", bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, req)
	if answer.Code != http.StatusOK || bytes.Contains(answer.Body.Bytes(), marker) != patched {
		return fmt.Errorf("HTTP %d: %.300s", answer.Code, answer.Body)
	}
	return nil
}
