// Command kubectl_yaml says what kubectl's YAML reader makes of documents. Each line of standard input is a JSON string, a document;
// each line of output is that string, a tab, and the JSON that kubectl would send, or "refused".
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	for lines.Scan() {
		var document string
		if err := json.Unmarshal(lines.Bytes(), &document); err != nil {
			fmt.Fprintln(os.Stderr, "kubectl_yaml: not a JSON string:", lines.Text())
			os.Exit(1)
		}
		result, err := yaml.YAMLToJSON([]byte(document))
		if err != nil {
			result = []byte("refused")
		}
		fmt.Printf("%s\t%s\n", lines.Text(), result)
	}
}
