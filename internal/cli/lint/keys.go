package lint

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/cli/manifest"
)

// prefix of Mooring's own keys in metadata.
const prefix = "kafka.mooring.dev/"

// keysOfWorkloads are for pods, pod templates and workloads.
var keysOfWorkloads = []string{
	v1alpha1.AnnotationProducerProfile, v1alpha1.AnnotationProducerContainers, v1alpha1.AnnotationProducerShim, v1alpha1.AnnotationProducerInject,
}

// keysReserved are written by Mooring.
var keysReserved = []string{
	v1alpha1.AnnotationProducerStatus, v1alpha1.AnnotationContract, v1alpha1.AnnotationContractTouched, v1alpha1.AnnotationProducerCopied, v1alpha1.AnnotationRestartedFor,
}

// judgeKeys looks at the keys with Mooring's prefix in the metadata of an object of whatever kind.
func (l *linter) judgeKeys(o *manifest.Object) {
	paths := []string{"metadata"}
	if w, ok := workloadOf(o, ""); ok {
		paths = w.metadata
	}
	for _, path := range paths {
		for _, where := range []string{"annotations", "labels"} {
			all, _ := at(o.Content, append(strings.Split(path, "."), where)...).(map[string]any)
			for _, key := range slices.Sorted(keys(all)) {
				if strings.HasPrefix(key, prefix) {
					l.judgeKey(o, where, path+"."+where+"["+key+"]", key, all[key])
				}
			}
		}
	}
}

func (l *linter) judgeKey(o *manifest.Object, where, field, key string, value any) {
	home, known := homes[key]
	switch {
	case slices.Contains(keysReserved, key):
		l.report(o, ruleKeyReserved, field, "Mooring itself writes this annotation; remove it")
	case !known:
		l.report(o, ruleKey, field, "Mooring knows no such key, and does nothing about it"+didYouMean(key, slices.Sorted(maps.Keys(homes))))
	case home.where != where || !home.takes(o):
		l.report(o, ruleKeyPlace, field, fmt.Sprintf("it does nothing here: it belongs into the %s of %s", home.where, home.what))
	case key == v1alpha1.LabelInjection && value != v1alpha1.InjectionEnabled:
		l.report(o, ruleValue, field, fmt.Sprintf("%.100q does nothing; write enabled, or remove the label", fmt.Sprint(value)))
	default:
		if _, text := value.(string); !text {
			l.report(o, ruleValue, field, "the value must be text; write it in quotes")
		}
	}
}

// home is where a key has an effect.
type home struct {
	where, what string
	takes       func(*manifest.Object) bool
}

var homes = func() map[string]home {
	ofKind := func(kind string) func(*manifest.Object) bool {
		return func(o *manifest.Object) bool { return o.GVK.Kind == kind }
	}
	all := map[string]home{
		v1alpha1.AnnotationOrphan: {"annotations", "a KafkaTopic", ofKind(manifest.KindTopic)},
		v1alpha1.LabelInjection:   {"labels", "a Namespace", ofKind("Namespace")},
	}
	for _, key := range keysOfWorkloads {
		all[key] = home{"annotations", "a workload or its pod template", func(o *manifest.Object) bool {
			_, ok := workloadOf(o, "")
			return ok
		}}
	}
	return all
}()

// at walks down maps; nil where the path ends before.
func at(value any, path ...string) any {
	for _, name := range path {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[name]
	}
	return value
}

// texts are the entries of a map that are text.
func texts(value any) map[string]string {
	object, _ := value.(map[string]any)
	all := make(map[string]string, len(object))
	for key, v := range object {
		if text, ok := v.(string); ok {
			all[key] = text
		}
	}
	return all
}

func keys[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }
