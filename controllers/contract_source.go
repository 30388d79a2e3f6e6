package controllers

import (
	"context"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/inject"
	"mooring.dev/mooring/internal/producer"
)

// indexProfilesWithSelector finds the ProducerProfiles that bind pods without an annotation.
const indexProfilesWithSelector = "mooring.profilesWithSelector"

// ContractSource gathers from the cache what inject.Mutate needs. The webhook and the contract controller share it, so that
// they come to the same contract. An error is a fault of ours; a refusal is the policy's.
type ContractSource struct {
	// Reader of the cache.
	Reader client.Reader
	// Namespace of the operator, where the Secrets of KafkaClusters are.
	Namespace string
	// Shim is the image of the shim.
	Shim inject.Image
}

// Found is the profile that binds a pod; Profile is nil where none does.
type Found struct {
	Profile *v1alpha1.ProducerProfile
	By      inject.By
	Place   inject.Place
	// OptedOut says that the pod asks to be left alone.
	OptedOut bool
	// Refusal may come with a profile, whose enforcement then says what becomes of it.
	Refusal *inject.Refusal
}

// Find looks for the profile of a pod in a namespace: that of the annotation, or the one whose selector binds it.
func (s ContractSource) Find(ctx context.Context, meta *metav1.ObjectMeta, namespace string) (Found, error) {
	request, refusal := inject.ReadRequest(meta.Annotations, namespace)
	found := Found{OptedOut: request.OptOut, Refusal: refusal, By: inject.ByAnnotation}
	if request.OptOut || refusal != nil && request.Name == "" {
		return found, nil
	}
	var err error
	if found.Place, err = s.place(ctx, namespace); err != nil {
		return found, err
	}
	if request.Name == "" {
		return s.bySelector(ctx, found, meta.Labels)
	}
	var p v1alpha1.ProducerProfile
	name := types.NamespacedName{Namespace: request.Namespace, Name: request.Name}
	err = s.Reader.Get(ctx, name, &p)
	if apierrors.IsNotFound(err) && found.Refusal != nil {
		return found, nil // which may be why it was not found
	}
	if apierrors.IsNotFound(err) {
		found.Refusal, err = s.missing(ctx, name)
		return found, err
	}
	if err != nil {
		return found, fmt.Errorf("read ProducerProfile %s: %w", name, err)
	}
	found.Profile = &p
	if found.Refusal == nil {
		found.Refusal = inject.Consent(&p, found.Place)
	}
	return found, nil
}

func (s ContractSource) place(ctx context.Context, name string) (inject.Place, error) {
	var namespace corev1.Namespace
	if err := s.Reader.Get(ctx, types.NamespacedName{Name: name}, &namespace); err != nil {
		return inject.Place{}, fmt.Errorf("read Namespace %s: %w", name, err)
	}
	return inject.Place{Name: name, Labels: namespace.Labels}, nil
}

// missing says that there is no such profile, and which one was most likely meant.
func (s ContractSource) missing(ctx context.Context, name types.NamespacedName) (*inject.Refusal, error) {
	var list v1alpha1.ProducerProfileList
	if err := s.Reader.List(ctx, &list, client.InNamespace(name.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list ProducerProfiles: %w", err)
	}
	var known []string
	for i := range list.Items {
		known = append(known, list.Items[i].Name)
	}
	slices.Sort(known)
	mend := "create it, or correct the annotation"
	if near := producer.Nearest(name.Name, known); near != "" {
		mend = "did you mean " + near + "?"
	}
	return &inject.Refusal{Reason: inject.ReasonProfileNotFound, Field: "metadata.annotations[" + v1alpha1.AnnotationProducerProfile + "]",
		Message: fmt.Sprintf("there is no ProducerProfile %s in namespace %s; %s", name.Name, name.Namespace, mend)}, nil
}

func (s ContractSource) bySelector(ctx context.Context, found Found, podLabels map[string]string) (Found, error) {
	found.By = inject.BySelector
	if !found.Place.SelectorsApply() {
		return found, nil
	}
	var list v1alpha1.ProducerProfileList
	if err := s.Reader.List(ctx, &list, client.MatchingFields{indexProfilesWithSelector: "true"}, client.UnsafeDisableDeepCopy); err != nil {
		return found, fmt.Errorf("list ProducerProfiles: %w", err)
	}
	p, refusal := inject.Select(podLabels, found.Place, list.Items)
	found.Refusal = refusal
	if p != nil {
		found.Profile = p.DeepCopy()
	}
	return found, nil
}

// Bind resolves a profile for pods of a namespace.
func (s ContractSource) Bind(ctx context.Context, p *v1alpha1.ProducerProfile, by inject.By, namespace string) (inject.Binding, *inject.Refusal, error) {
	b := inject.Binding{By: by, Shim: s.Shim, Namespace: namespace}
	name := clusterOf(p)
	var k v1alpha1.KafkaCluster
	err := s.Reader.Get(ctx, types.NamespacedName{Name: name}, &k)
	if apierrors.IsNotFound(err) {
		b.Config = producer.Resolve(p, nil, namespace) // inject refuses what is not known, with the profile's name
		return b, nil, nil
	}
	if err != nil {
		return b, nil, fmt.Errorf("read KafkaCluster %s: %w", name, err)
	}
	b.Config, b.ClusterID = producer.Resolve(p, &k, namespace), k.Status.ClusterID
	if k.Spec.AllowedNamespaces != nil {
		place, err := s.place(ctx, p.Namespace)
		if err != nil {
			return b, nil, err
		}
		if refusal := inject.ClusterConsent(&k, place); refusal != nil {
			return b, refusal, nil
		}
	}
	if b.SelectedTopics, err = s.selectedTopics(ctx, p, name); err != nil {
		return b, nil, err
	}
	refusal, err := s.authorities(ctx, &k, &b)
	return b, refusal, err
}

// selectedTopics are the names of the KafkaTopics that spec.topics.selector selects.
func (s ContractSource) selectedTopics(ctx context.Context, p *v1alpha1.ProducerProfile, cluster string) ([]string, error) {
	if p.Spec.Topics == nil || p.Spec.Topics.Selector == nil {
		return nil, nil
	}
	selector := selectorOf(p.Spec.Topics.Selector)
	topics, err := TopicsOfNamespace(ctx, s.Reader, cluster, p.Namespace)
	if err != nil {
		return nil, fmt.Errorf("list KafkaTopics: %w", err)
	}
	var names []string
	for i := range topics {
		if selector.Matches(labels.Set(topics[i].Labels)) {
			names = append(names, topics[i].TopicName())
		}
	}
	return names, nil
}

// authorities reads the certificates that a KafkaCluster trusts.
func (s ContractSource) authorities(ctx context.Context, k *v1alpha1.KafkaCluster, b *inject.Binding) (refusal *inject.Refusal, err error) {
	if tls := k.Spec.TLS; tls != nil && tls.CABundleRef != nil {
		if b.CACertificates, refusal, err = s.bundle(ctx, k, "spec.tls.caBundleRef", tls.CABundleRef); refusal != nil || err != nil {
			return refusal, err
		}
	}
	if r := k.Spec.SchemaRegistry; r != nil && r.CABundleRef != nil {
		b.RegistryCACertificates, refusal, err = s.bundle(ctx, k, "spec.schemaRegistry.caBundleRef", r.CABundleRef)
	}
	return refusal, err
}

// bundle of certificates that a field names. They are public; nothing else of the Secret is taken, not even when somebody has put
// a private key beside them.
func (s ContractSource) bundle(ctx context.Context, k *v1alpha1.KafkaCluster, field string, ref *v1alpha1.SecretKeyReference) (string, *inject.Refusal, error) {
	name := types.NamespacedName{Namespace: s.Namespace, Name: ref.Name}
	var secret corev1.Secret
	if err := s.Reader.Get(ctx, name, &secret); client.IgnoreNotFound(err) != nil {
		return "", nil, fmt.Errorf("read Secret %s: %w", name, err)
	}
	key := ref.Key
	if key == "" {
		key = "ca.crt"
	}
	found := onlyCertificates(secret.Data[key])
	if found == "" {
		return "", &inject.Refusal{Reason: inject.ReasonAuthorityMissing, Message: fmt.Sprintf(
			"KafkaCluster %s: %s: Secret %s has no PEM certificate under %q; put the authorities there", k.Name, field, name, key)}, nil
	}
	return found, nil, nil
}

func onlyCertificates(data []byte) string {
	var out strings.Builder
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			return out.String()
		}
		if block.Type == "CERTIFICATE" {
			out.Write(pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes}))
		}
		data = rest
	}
}
