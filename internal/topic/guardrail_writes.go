package topic

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"

	"mooring.dev/mooring/api/v1alpha1"
)

// RefuseWrites holds the topics that a profile would be allowed to write against namePattern: whoever may not have a topic
// of a name may not have the brokers allow writing it either. selected are the names of the topics that spec.topics.selector
// selects; a KafkaTopic may be there that the policy refuses.
func (g *Guardrail) RefuseWrites(p *v1alpha1.ProducerProfile, selected []string) []Violation {
	topics := p.Spec.Topics
	if g.NamePattern == "" || topics == nil {
		return nil
	}
	pattern := fillNamespace(g.NamePattern, p.Namespace)
	whole, err := compileName(pattern)
	if err != nil {
		return []Violation{g.brokenPolicy("spec.clusterRef.name", g.Cluster, "namePattern", err.Error())}
	}
	var found []Violation
	refuse := func(field, value, mend string) {
		found = append(found, Violation{field, value, fmt.Sprintf(
			"KafkaCluster %s lets profiles of namespace %s manage ACLs of topics that match %s as a whole (%s.namePattern), and %s does not; %s",
			g.Cluster, p.Namespace, pattern, g.Field, value, mend)})
	}
	for i, name := range topics.Names {
		if !whole.MatchString(name) {
			refuse(fmt.Sprintf("spec.topics.names[%d]", i), name, "name a topic of this namespace, or let spec.authorization.mode be None")
		}
	}
	for _, name := range selected {
		if !whole.MatchString(name) {
			refuse("spec.topics.selector", name, "take the label off its KafkaTopic")
		}
	}
	for i, prefix := range topics.Prefixes {
		if !opensWith(pattern, prefix) {
			refuse(fmt.Sprintf("spec.topics.prefixes[%d]", i), prefix+"*", "name the topics in spec.topics.names, or begin the prefix as the pattern does")
		}
	}
	return found
}

// opensWith says whether a prefix stays with the names that an expression is for: a fixed text and then any number of
// characters of one class, such as shop\.[a-z.-]+ or shop\..*, where the prefix begins with that text and goes on within the
// class. Of any other expression nobody can say what else the prefix lets in.
func opensWith(pattern, prefix string) bool {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return false
	}
	var parts []*syntax.Regexp
	flatten(tree, &parts)
	if len(parts) > 0 && parts[0].Op == syntax.OpBeginText {
		parts = parts[1:]
	}
	if n := len(parts); n > 0 && parts[n-1].Op == syntax.OpEndText {
		parts = parts[:n-1]
	}
	if len(parts) == 0 {
		return false
	}
	var fixed strings.Builder
	for _, part := range parts[:len(parts)-1] {
		if part.Op != syntax.OpLiteral || part.Flags&syntax.FoldCase != 0 {
			return false
		}
		fixed.WriteString(string(part.Rune))
	}
	rest, ok := strings.CutPrefix(prefix, fixed.String())
	tail := parts[len(parts)-1]
	if !ok || tail.Op != syntax.OpStar && tail.Op != syntax.OpPlus {
		return false
	}
	return isClass(tail.Sub[0]) && within(tail.Sub[0], rest)
}

// flatten lists what an expression wants one after the other.
func flatten(tree *syntax.Regexp, parts *[]*syntax.Regexp) {
	if tree.Op != syntax.OpConcat && tree.Op != syntax.OpCapture {
		*parts = append(*parts, tree)
		return
	}
	for _, sub := range tree.Sub {
		flatten(sub, parts)
	}
}

func isClass(one *syntax.Regexp) bool {
	return one.Op == syntax.OpCharClass || one.Op == syntax.OpAnyChar || one.Op == syntax.OpAnyCharNotNL
}

func within(class *syntax.Regexp, text string) bool {
	each, err := regexp.Compile(`\A(?:` + class.String() + `)*\z`)
	return err == nil && each.MatchString(text)
}
