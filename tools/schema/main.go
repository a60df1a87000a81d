// Command schema writes the field tables of src/resource from the published Go types of Kubernetes and the published CRDs of Istio:
// names, JSON types, what is required, enum values, bounds. No prose is taken.
//
//	cd tools/schema && go run . ../../src/resource && clang-format -i ../../src/resource/schema_*
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// A node is one schema: what a value may be.
type node struct {
	name      string // C++ name; "" until it is assigned
	kind      string // a value of enum Type, without the k
	fields    []field
	element   *node
	values    []string
	exclusive [][]string
	min, max  *int64
	body      string // the initializer, once it is known; equal bodies are one schema
}

type field struct {
	name     string
	schema   *node
	required bool
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "schema:", err)
		os.Exit(1)
	}
}

func main() {
	if len(os.Args) != 2 {
		check(fmt.Errorf("usage: schema FOLDER"))
	}
	folder := os.Args[1]
	kube := kubernetesTypes()
	istio := istioTypes()
	write(filepath.Join(folder, "schema_kubernetes.cc"), "k8s.io/api "+moduleVersion("k8s.io/api"), kube)
	write(filepath.Join(folder, "schema_istio.cc"), "istio.io/api "+moduleVersion("istio.io/api"), istio)
	writeHeader(filepath.Join(folder, "schema_tables.h"), append(append([]*node{}, kube...), istio...))
}

// A quoted C++ string: everything here is ASCII.
func quoted(s string) string { return fmt.Sprintf("%q", s) }

func sortedNodes(nodes []*node) []*node {
	sorted := append([]*node{}, nodes...)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].name < sorted[j].name })
	return sorted
}

func writeHeader(path string, nodes []*node) {
	var out strings.Builder
	out.WriteString("// Written by tools/schema: what the generated field tables offer. Do not edit.\n#pragma once\n\n#include \"resource/schema.h\"\n\nnamespace sluice::resource::tables {\n\n")
	for _, n := range sortedNodes(nodes) {
		fmt.Fprintf(&out, "extern const Schema k%s;\n", n.name)
	}
	out.WriteString("\n}  // namespace sluice::resource::tables\n")
	check(os.WriteFile(path, []byte(out.String()), 0o644))
}

// The schemas of simple types are shared and live in schema.h.
func reference(n *node) string {
	if n.name != "" {
		return "&k" + n.name
	}
	if len(n.fields) == 0 && n.element == nil && len(n.values) == 0 && n.min == nil && n.max == nil {
		return "&k" + n.kind
	}
	panic("a schema without a name: " + n.kind)
}

func write(path, source string, nodes []*node) {
	var out strings.Builder
	fmt.Fprintf(&out, "// Written by tools/schema from %s. Do not edit.\n#include \"resource/schema_tables.h\"\n\nnamespace sluice::resource::tables {\n\n", source)
	for _, n := range sortedNodes(nodes) {
		out.WriteString(n.body)
	}
	out.WriteString("}  // namespace sluice::resource::tables\n")
	check(os.WriteFile(path, []byte(out.String()), 0o644))
}

// Gives n its final text. REQUIRES: the nodes below it have names already.
func (n *node) finish() {
	var out strings.Builder
	list := func(suffix string, values []string) {
		fmt.Fprintf(&out, "static constexpr std::string_view k%s%s[] = {", n.name, suffix)
		for i, v := range values {
			if i > 0 {
				out.WriteString(", ")
			}
			out.WriteString(quoted(v))
		}
		out.WriteString("};\n")
	}
	if len(n.fields) > 0 {
		fmt.Fprintf(&out, "static constexpr FieldSpec k%sFields[] = {\n", n.name)
		for _, f := range n.fields {
			fmt.Fprintf(&out, "    {%s, %s", quoted(f.name), reference(f.schema))
			if f.required {
				out.WriteString(", true")
			}
			out.WriteString("},\n")
		}
		out.WriteString("};\n")
	}
	if len(n.values) > 0 {
		list("Values", n.values)
	}
	for i, group := range n.exclusive {
		list(fmt.Sprintf("OneOf%d", i), group)
	}
	if len(n.exclusive) > 0 {
		fmt.Fprintf(&out, "static constexpr std::span<const std::string_view> k%sOneOf[] = {", n.name)
		for i := range n.exclusive {
			if i > 0 {
				out.WriteString(", ")
			}
			fmt.Fprintf(&out, "k%sOneOf%d", n.name, i)
		}
		out.WriteString("};\n")
	}
	fmt.Fprintf(&out, "constinit const Schema k%s = {.type = Type::k%s", n.name, n.kind)
	if len(n.fields) > 0 {
		fmt.Fprintf(&out, ", .fields = k%sFields", n.name)
	}
	if n.element != nil {
		fmt.Fprintf(&out, ", .element = %s", reference(n.element))
	}
	if len(n.values) > 0 {
		fmt.Fprintf(&out, ", .values = k%sValues", n.name)
	}
	if len(n.exclusive) > 0 {
		fmt.Fprintf(&out, ", .one_of = k%sOneOf", n.name)
	}
	if n.min != nil {
		fmt.Fprintf(&out, ", .minimum = %d", *n.min)
	}
	if n.max != nil {
		fmt.Fprintf(&out, ", .maximum = %d", *n.max)
	}
	out.WriteString("};\n\n")
	n.body = out.String()
}
