package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"go.yaml.in/yaml/v2"

	_ "istio.io/api/networking/v1" // for go.mod: the module that has the CRDs
)

type crdSchema struct {
	Type       string                `yaml:"type"`
	Format     string                `yaml:"format"`
	Properties map[string]*crdSchema `yaml:"properties"`
	Items      *crdSchema            `yaml:"items"`
	Additional any                   `yaml:"additionalProperties"`
	Required   []string              `yaml:"required"`
	Enum       []string              `yaml:"enum"`
	Minimum    *int64                `yaml:"minimum"`
	Maximum    *int64                `yaml:"maximum"`
	OneOf      []oneOf               `yaml:"oneOf"`
	AllOf      []struct {
		OneOf []oneOf `yaml:"oneOf"`
	} `yaml:"allOf"`
	IntOrString bool `yaml:"x-kubernetes-int-or-string"`
	Preserve    bool `yaml:"x-kubernetes-preserve-unknown-fields"`
	Validations []struct {
		Rule string `yaml:"rule"`
	} `yaml:"x-kubernetes-validations"`
}

type oneOf struct {
	Required []string `yaml:"required"`
}

type crd struct {
	Spec struct {
		Names struct {
			Kind string `yaml:"kind"`
		} `yaml:"names"`
		Versions []struct {
			Name   string `yaml:"name"`
			Schema struct {
				OpenAPIV3Schema *crdSchema `yaml:"openAPIV3Schema"`
			} `yaml:"schema"`
		} `yaml:"versions"`
	} `yaml:"spec"`
}

var istioKinds = map[string]bool{"Gateway": true, "VirtualService": true, "DestinationRule": true, "ServiceEntry": true, "WorkloadEntry": true}

type istio struct {
	byBody map[string]*node
	order  []*node
}

// The spec of each kind. All versions of one kind must have the same, or we must learn to tell them apart.
func istioTypes() []*node {
	dir := filepath.Dir(filepath.Dir(moduleDir("istio.io/api/networking/v1")))
	text, err := os.ReadFile(filepath.Join(dir, "kubernetes", "customresourcedefinitions.gen.yaml"))
	check(err)
	i := &istio{byBody: map[string]*node{}}
	for _, document := range strings.Split(string(text), "\n---\n") {
		var c crd
		check(yaml.Unmarshal([]byte(document), &c))
		kind := c.Spec.Names.Kind
		if !istioKinds[kind] {
			continue
		}
		var first *node
		for _, version := range c.Spec.Versions {
			spec := i.node("Istio"+kind+"Spec", version.Schema.OpenAPIV3Schema.Properties["spec"])
			if first == nil {
				first = spec
			} else if first != spec {
				check(fmt.Errorf("%s %s has another schema than the version before it", kind, version.Name))
			}
		}
	}
	return i.order
}

func title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// Equal schemas become one constant, named for the first place that has it.
func (i *istio) share(n *node, name string) *node {
	n.name = "@"
	n.finish()
	body := n.body
	if known, ok := i.byBody[body]; ok {
		return known
	}
	n.name = name
	for taken := true; taken; {
		taken = false
		for _, other := range i.order {
			if other.name == n.name {
				n.name += "_"
				taken = true
			}
		}
	}
	n.finish()
	i.byBody[body] = n
	i.order = append(i.order, n)
	return n
}

func (i *istio) node(name string, s *crdSchema) *node {
	for _, v := range s.Validations {
		if strings.Contains(v.Rule, "duration(self)") {
			return &node{kind: "Duration"}
		}
	}
	switch {
	case s.IntOrString:
		return &node{kind: "IntOrString"}
	case s.Preserve:
		return &node{kind: "Any"}
	case s.Type == "array":
		element := i.node(strings.TrimSuffix(name, "s"), s.Items)
		if element.name == "" && element.kind == "String" {
			return &node{kind: "StringList"}
		}
		return i.share(&node{kind: "List", element: element}, name+"List")
	case s.Type == "object" && s.Additional != nil && len(s.Properties) == 0:
		text, err := yaml.Marshal(s.Additional)
		check(err)
		var inner crdSchema
		check(yaml.Unmarshal(text, &inner))
		element := i.node(name+"Value", &inner)
		if element.name == "" && element.kind == "String" {
			return &node{kind: "StringMap"}
		}
		return i.share(&node{kind: "Map", element: element}, name+"Map")
	case s.Type == "object":
		n := &node{kind: "Object"}
		names := make([]string, 0, len(s.Properties))
		for property := range s.Properties {
			names = append(names, property)
		}
		sort.Strings(names)
		required := map[string]bool{}
		for _, r := range s.Required {
			required[r] = true
		}
		for _, property := range names {
			n.fields = append(n.fields, field{property, i.node(name+title(property), s.Properties[property]), required[property]})
		}
		for _, group := range append([]struct {
			OneOf []oneOf `yaml:"oneOf"`
		}{{s.OneOf}}, s.AllOf...) {
			var members []string
			for _, one := range group.OneOf {
				if len(one.Required) == 1 {
					members = append(members, one.Required[0])
				}
			}
			if len(members) > 1 {
				n.exclusive = append(n.exclusive, members)
			}
		}
		if len(n.fields) == 0 {
			return i.share(n, name)
		}
		return i.share(n, name)
	case s.Type == "string" && len(s.Enum) > 0:
		return i.share(&node{kind: "String", values: s.Enum}, name)
	case s.Type == "string" && s.Format == "binary":
		return &node{kind: "Bytes"}
	case s.Type == "string" && s.Format == "date-time":
		return &node{kind: "Time"}
	case s.Type == "string":
		return &node{kind: "String"}
	case s.Type == "boolean":
		return &node{kind: "Boolean"}
	case s.Type == "number":
		return &node{kind: "Number"}
	case s.Type == "integer":
		kind := "Integer64"
		if s.Format == "int32" {
			kind = "Integer32"
		}
		if s.Minimum != nil || s.Maximum != nil {
			return i.share(&node{kind: kind, min: s.Minimum, max: s.Maximum}, name)
		}
		return &node{kind: kind}
	}
	check(fmt.Errorf("%s: a schema of type %q", name, s.Type))
	return nil
}
