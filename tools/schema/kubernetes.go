package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	// For go.mod: the modules whose sources are read.
	_ "k8s.io/api/core/v1"
	_ "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Types whose JSON is not that of their Go fields.
var special = map[string]string{
	"k8s.io/apimachinery/pkg/apis/meta/v1.Time":       "Time",
	"k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime":  "Time",
	"k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1":   "Any",
	"k8s.io/apimachinery/pkg/api/resource.Quantity":   "Quantity",
	"k8s.io/apimachinery/pkg/util/intstr.IntOrString": "IntOrString",
	"k8s.io/apimachinery/pkg/runtime.RawExtension":    "Any",
	"k8s.io/apimachinery/pkg/types.UID":               "String",
}

// What the tables begin with; whatever these contain follows. The names are those of the C++ constants.
var roots = [][2]string{
	{"k8s.io/api/core/v1", "PodSpec"},
	{"k8s.io/api/core/v1", "Container"},
	{"k8s.io/api/core/v1", "Service"},
	{"k8s.io/api/core/v1", "Secret"},
	{"k8s.io/api/core/v1", "ConfigMap"},
	{"k8s.io/api/core/v1", "Namespace"},
	{"k8s.io/api/apps/v1", "Deployment"},
	{"k8s.io/api/discovery/v1", "EndpointSlice"},
	{"k8s.io/api/autoscaling/v2", "MetricSpec"},
	{"k8s.io/api/autoscaling/v2beta1", "MetricSpec"},
	{"k8s.io/api/autoscaling/v2", "HorizontalPodAutoscaler"},
	{"k8s.io/api/policy/v1", "PodDisruptionBudget"},
	{"k8s.io/apimachinery/pkg/apis/meta/v1", "ObjectMeta"},
}

type goPackage struct {
	path    string
	types   map[string]*ast.TypeSpec
	docs    map[string]string
	enums   map[string][]string          // type name -> constants
	imports map[string]map[string]string // type name -> alias -> path
}

type kubernetes struct {
	packages map[string]*goPackage
	nodes    map[string]*node
	order    []*node
}

func kubernetesTypes() []*node {
	k := &kubernetes{packages: map[string]*goPackage{}, nodes: map[string]*node{}}
	for _, root := range roots {
		k.named(root[0], root[1])
	}
	for _, n := range k.order {
		n.finish()
	}
	return k.order
}

func moduleDir(path string) string {
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", path).Output()
	check(err)
	return strings.TrimSpace(string(out))
}

func moduleVersion(module string) string {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", module).Output()
	check(err)
	return strings.TrimSpace(string(out))
}

func (k *kubernetes) load(path string) *goPackage {
	if p, ok := k.packages[path]; ok {
		return p
	}
	p := &goPackage{path, map[string]*ast.TypeSpec{}, map[string]string{}, map[string][]string{}, map[string]map[string]string{}}
	k.packages[path] = p
	dir := moduleDir(path)
	entries, err := os.ReadDir(dir)
	check(err)
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, entry.Name()), nil, parser.ParseComments)
		check(err)
		imports := map[string]string{}
		for _, spec := range file.Imports {
			value, _ := strconv.Unquote(spec.Path.Value)
			alias := filepath.Base(value)
			if spec.Name != nil {
				alias = spec.Name.Name
			}
			imports[alias] = value
		}
		for _, decl := range file.Decls {
			general, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range general.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					p.types[s.Name.Name] = s
					p.docs[s.Name.Name] = general.Doc.Text() + s.Doc.Text() + comments(general.Doc) + comments(s.Doc)
					p.imports[s.Name.Name] = imports
				case *ast.ValueSpec:
					if name, ok := s.Type.(*ast.Ident); ok && general.Tok == token.CONST && len(s.Values) == 1 {
						if literal, ok := s.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
							value, _ := strconv.Unquote(literal.Value)
							p.enums[name.Name] = append(p.enums[name.Name], value)
						}
					}
				}
			}
		}
	}
	return p
}

func comments(group *ast.CommentGroup) string {
	if group == nil {
		return ""
	}
	var lines []string
	for _, c := range group.List {
		lines = append(lines, c.Text)
	}
	return strings.Join(lines, "\n")
}

func constantName(path, name string) string {
	path = strings.TrimPrefix(strings.TrimPrefix(path, "k8s.io/api/"), "k8s.io/apimachinery/pkg/apis/")
	var out strings.Builder
	for _, part := range strings.Split(path, "/") {
		out.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return out.String() + name
}

func (k *kubernetes) add(n *node) *node {
	k.nodes[n.name] = n
	k.order = append(k.order, n)
	return n
}

func (k *kubernetes) named(path, name string) *node {
	if kind, ok := special[path+"."+name]; ok {
		return &node{kind: kind}
	}
	key := constantName(path, name)
	if n, ok := k.nodes[key]; ok {
		return n
	}
	p := k.load(path)
	spec, ok := p.types[name]
	if !ok {
		panic("no type " + path + "." + name)
	}
	if body, ok := spec.Type.(*ast.StructType); ok {
		n := k.add(&node{name: key, kind: "Object"})
		k.structFields(p, spec.Name.Name, body, n)
		return n
	}
	if strings.Contains(p.docs[name], "+enum") && len(p.enums[name]) > 0 {
		return k.add(&node{name: key, kind: "String", values: p.enums[name]})
	}
	return k.expression(p, name, spec.Type)
}

func (k *kubernetes) structFields(p *goPackage, owner string, body *ast.StructType, n *node) {
	for _, f := range body.Fields.List {
		tag := ""
		if f.Tag != nil {
			raw, _ := strconv.Unquote(f.Tag.Value)
			tag = reflect.StructTag(raw).Get("json")
		}
		parts := strings.Split(tag, ",")
		schema := k.expression(p, owner, f.Type)
		if len(f.Names) == 0 && parts[0] == "" { // embedded
			n.fields = append(n.fields, schema.fields...)
			continue
		}
		if parts[0] == "-" || parts[0] == "" {
			continue
		}
		text := comments(f.Doc)
		optional := strings.Contains(tag, "omitempty") || strings.Contains(tag, "omitzero") || strings.Contains(text, "+optional")
		n.fields = append(n.fields, field{parts[0], schema, !optional && !isStatus(parts[0]) && !notRequired[n.name+"."+parts[0]]})
	}
}

func isStatus(name string) bool { return name == "status" }

// Fields that have no omitempty, and that API servers still accept without.
var notRequired = map[string]bool{
	"DiscoveryV1EndpointSlice.endpoints": true,
	"DiscoveryV1EndpointSlice.ports":     true,
	"CoreV1HTTPHeader.value":             true,
}

func (k *kubernetes) expression(p *goPackage, owner string, e ast.Expr) *node {
	switch t := e.(type) {
	case *ast.StarExpr:
		return k.expression(p, owner, t.X)
	case *ast.SelectorExpr:
		return k.named(p.imports[owner][t.X.(*ast.Ident).Name], t.Sel.Name)
	case *ast.MapType:
		return k.collection("Map", k.expression(p, owner, t.Value))
	case *ast.ArrayType:
		if element, ok := t.Elt.(*ast.Ident); ok && element.Name == "byte" {
			return &node{kind: "Bytes"}
		}
		return k.collection("List", k.expression(p, owner, t.Elt))
	case *ast.Ident:
		switch t.Name {
		case "string":
			return &node{kind: "String"}
		case "bool":
			return &node{kind: "Boolean"}
		case "int32":
			return &node{kind: "Integer32"}
		case "int64", "int":
			return &node{kind: "Integer64"}
		case "float64":
			return &node{kind: "Number"}
		}
		return k.named(p.path, t.Name)
	}
	panic("unexpected type in " + owner)
}

func (k *kubernetes) collection(kind string, element *node) *node {
	name := element.name
	if name == "" {
		name = element.kind
	}
	key := name + kind
	if kind == "Map" {
		key = name + "Map"
	}
	if n, ok := k.nodes[key]; ok {
		return n
	}
	if element.name == "" && (element.kind == "String") {
		return &node{kind: element.kind + kind} // kStringList, kStringMap live in schema.h
	}
	return k.add(&node{name: key, kind: kind, element: element})
}
