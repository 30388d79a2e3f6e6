package v1alpha1_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"mooring.dev/mooring/api/v1alpha1"
)

func TestTopicName(t *testing.T) {
	topic := v1alpha1.KafkaTopic{ObjectMeta: metav1.ObjectMeta{Name: "orders"}}
	if got := topic.TopicName(); got != "orders" {
		t.Errorf("%q, want the object's name", got)
	}
	topic.Spec.TopicName = "Orders_v1"
	if got := topic.TopicName(); got != "Orders_v1" {
		t.Errorf("%q, want spec.topicName", got)
	}
}

func TestScheme(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"KafkaCluster", "KafkaTopic", "ProducerProfile", "KafkaClusterList", "KafkaTopicList", "ProducerProfileList"} {
		if !scheme.Recognizes(v1alpha1.GroupVersion.WithKind(kind)) {
			t.Errorf("the scheme does not know %s", kind)
		}
	}
}

// Every condition and reason is documented: people write alerts on them. And no two names mean the same text by accident,
// except where a reason and a condition are called alike.
func TestConditionsAndReasonsAreDocumented(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "conditions.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]string)
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			constant := spec.(*ast.ValueSpec)
			name := constant.Names[0].Name
			value, err := strconv.Unquote(constant.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			if doc := constant.Doc.Text(); !strings.HasPrefix(doc, name) || len(doc) < len(name)+10 {
				t.Errorf("%s has no comment that says what it means", name)
			}
			if prefix := strings.TrimSuffix(name, value); prefix != "Condition" && prefix != "Reason" {
				t.Errorf("%s is %q: name and value should agree", name, value)
			}
			if before, twice := seen[name[:1]+value]; twice {
				t.Errorf("%s and %s are both %q", before, name, value)
			}
			seen[name[:1]+value] = name
		}
	}
	if len(seen) < 40 {
		t.Errorf("only %d constants were found", len(seen))
	}
}
